//! Reproduces what the `generate` function of the published model's original code returns, including its
//! quirks.
//!
//! The captions and BLEU scores of the CLIP-Vision-mBART50 model of 2021 were computed with that code. Use
//! this module to reproduce them, and [`VisionEncoderDecoder::generate`], which searches like today's
//! transformers, for everything else. No other part of this crate depends on this module.
//!
//! Pixel values
//! - Before encoding, they are truncated to integers ([`truncated_pixels`]), although the model was trained
//!   on values that were not truncated.
//!
//! Scores of beam search
//! - When a text ends, 10⁷ is subtracted from the sum of its log-probabilities, and the difference is divided
//!   by length^`length_penalty`. The 10⁷ outweighs all log-probabilities, so the longest ended text wins.
//! - In `f32`, numbers near 10⁷ have no fractional digits. Ended texts of the same length whose sums round to
//!   the same integer are therefore ties, and their order is reversed at every step.
//!
//! The list of ended texts, which has `num_beams` entries
//! - An empty entry counts as a score of -10⁷, and a text is added only if its score is higher. So no text is
//!   added that ends immediately after the start token, and none at all if `length_penalty` is 0 or negative.
//! - A text that reaches `max_length` without an end token has not ended. If no text has ended, the best
//!   running text is returned, with the sum of its log-probabilities as its score.
//!
//! The end of the search
//! - Without `early_stopping`, it usually continues up to `max_length`, because 10⁷ has not been subtracted
//!   from the scores of running texts, which therefore seem better than all ended texts. It stops earlier if
//!   there is an image without a running text that seems better, as when the end token is forced to come
//!   first.
//! - With `early_stopping`, a full list is closed: of the first `num_beams` texts that end, the longest wins.
//!   The search stops when the lists of all images are closed. Until then, ties continue to change their
//!   order, so a caption can depend on the other images of its batch.
//!
//! Other quirks
//! - Greedy search returns padding instead of the end token, and no score.
//! - The end token is forbidden until a text is one token longer than `min_length`.
//! - All texts are padded to `max_length`, which is 20 by default.
//!
//! Log-probabilities that differ by rounding errors from those of the original can round to another integer
//! at 10⁷. In rare cases a score therefore differs from the original's by 1 / length^`length_penalty`.

mod batch;
mod beam_search;

use std::sync::{Arc, Mutex};

use burn::tensor::Tensor;
use generation::{
    ConfigError, EarlyStopping, Generation, GenerationConfig, Hypothesis, Prompt, PromptResult,
    Search,
};
use vision_encoder_decoder::{Decoder, Encoder, GenerateError, Memory, VisionEncoderDecoder};
use whole_files::python_json;

use self::batch::Batch;
use self::beam_search::BeamSearch;

use crate::form::PUBLISHED;
use crate::json::Entries;

/// `max_length` where it is not set.
const DEFAULT_MAX_LENGTH: usize = 20;

/// The text that the original returns for an image.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedText {
    /// `max_length` tokens: the start token, the generated tokens, padding.
    pub tokens: Vec<u32>,
    /// The log-probability of each generated token, including the end token: see
    /// [`Hypothesis::token_log_probs`]. The original code does not return them.
    pub token_log_probs: Vec<f32>,
    /// For beam search, the score of the original code. For greedy search, where the original code has no
    /// score, that of [`VisionEncoderDecoder::generate`].
    pub score: f32,
}

/// The default options of the original code. In the published form they are those of `mbart_config` in
/// `config.json`: mBART's options for translation, on top of the `ordinary` ones. In other forms, which have
/// no `mbart_config`, they are the `ordinary` options.
///
/// # Errors
/// [`ConfigError`](crate::ConfigError) if the text is not a JSON object, or an option has a value of the wrong type.
pub fn generation_config(
    config_json: &str,
    ordinary: &GenerationConfig,
) -> Result<GenerationConfig, crate::ConfigError> {
    let config_json = python_json::standard(config_json);
    let config = Entries::of(&config_json, [PUBLISHED.decoder])?;
    match config.object(PUBLISHED.decoder) {
        Some(decoder) => {
            Ok(ordinary.with_file_options(decoder, |name| generation::OPTIONS.contains(&name))?)
        }
        None => Ok(ordinary.clone()),
    }
}

/// Pixel values as the original code encodes them: truncated to integers, towards zero.
///
/// # Shapes
/// - pixel values, output: `[images, channels, height, width]`
pub fn truncated_pixels(pixel_values: Tensor<4>) -> Tensor<4> {
    pixel_values.trunc()
}

/// Checks that the original code supports the options.
///
/// # Errors
/// [`ConfigError`] if an option is not supported, if the padding token is not set, if there is not exactly
/// one end token, or if the options contradict each other.
pub fn validate(config: &GenerationConfig) -> Result<(), ConfigError> {
    special_tokens(config)?;
    let (shortest, longest) = (config.shortest(1), config.longest(1));
    if shortest > longest {
        // Unlike transformers 5, the original code refuses this.
        return Err(ConfigError::Contradiction {
            options: ["min_length", "max_length"],
            reason: format!(
                "the shortest text, {shortest} tokens, is longer than the longest, {longest}"
            ),
        });
    }
    // The options that the original code has. All others must have their default values.
    let known = GenerationConfig {
        num_beams: config.num_beams,
        length_penalty: config.length_penalty,
        early_stopping: config.early_stopping,
        max_length: config.max_length,
        min_length: config.min_length,
        forced_bos_token_id: config.forced_bos_token_id,
        forced_eos_token_id: config.forced_eos_token_id.clone(),
        decoder_start_token_id: config.decoder_start_token_id,
        bos_token_id: config.bos_token_id,
        pad_token_id: config.pad_token_id,
        eos_token_id: config.eos_token_id.clone(),
        // These have no effect without do_sample, which is refused.
        temperature: config.temperature,
        top_k: config.top_k,
        top_p: config.top_p,
        min_p: config.min_p,
        top_h: config.top_h,
        typical_p: config.typical_p,
        epsilon_cutoff: config.epsilon_cutoff,
        eta_cutoff: config.eta_cutoff,
        seed: config.seed,
        ..GenerationConfig::default()
    };
    let mut unknown = config.differing(&known);
    if config.early_stopping == EarlyStopping::Never {
        unknown.push("early_stopping = \"never\"".into());
    }
    if config.forced_eos_token_id.len() > 1 {
        unknown.push("more than one forced_eos_token_id".into());
    }
    if !unknown.is_empty() {
        return Err(ConfigError::UnsupportedBySearch {
            search: "the published model's original code",
            options: unknown,
        });
    }
    with_original_lengths(config).validate(1)
}

/// Captions images like the original code: returns one text, or an error, for each image.
///
/// `memory` is the encoding of [`truncated_pixels`]. The language of all texts is that of the option
/// `forced_bos_token_id`. As in the original code, each language needs its own call.
///
/// # Errors
/// [`GenerateError`] if [`validate`] refuses the options, there is no start token, or the device fails.
pub fn generate<E: Encoder, D: Decoder>(
    model: &VisionEncoderDecoder<E, D>,
    memory: Memory,
    config: &GenerationConfig,
) -> Result<Vec<PromptResult<PublishedText>>, GenerateError> {
    validate(config)?;
    let SpecialTokens { pad, end } = special_tokens(config)?;
    let prompt = Prompt::new(vec![config.start_token()?]);
    let config = with_original_lengths(config);

    let [images, _, _] = memory.hidden.dims();
    let row_sources: Vec<usize> = (0..images).collect();
    let prompts = vec![prompt; images];
    let is_greedy = config.num_beams == 1;
    let found = if is_greedy {
        model.generate_from(memory, &row_sources, &prompts, &config)?
    } else {
        let batch = Arc::new(Mutex::new(Batch::new(images)));
        let searches = prompts.iter().map(|prompt| {
            let search = BeamSearch::new(&config, prompt, end, Arc::clone(&batch));
            Box::new(search) as Box<dyn Search>
        });
        let generation = Generation::new(config.clone()).with_searches(searches.collect());
        model.generate_with(memory, &row_sources, &prompts, generation, None)?
    };
    let text = |found: Vec<Hypothesis>| {
        let mut text = found.into_iter().next().unwrap_or_default();
        if is_greedy && text.generated_tokens().last() == Some(&end) {
            text.tokens.pop();
        }
        text.tokens.resize(config.longest(1), pad);
        PublishedText {
            tokens: text.tokens,
            token_log_probs: text.token_log_probs,
            score: text.score,
        }
    };
    Ok(found.into_iter().map(|found| found.map(text)).collect())
}

struct SpecialTokens {
    pad: u32,
    end: u32,
}

fn special_tokens(config: &GenerationConfig) -> Result<SpecialTokens, ConfigError> {
    match (config.pad_token_id, config.eos_token_id.as_slice()) {
        (Some(pad), [end]) => Ok(SpecialTokens { pad, end: *end }),
        (None, _) => Err(ConfigError::Missing {
            option: "pad_token_id",
            reason: "the published model's original code pads texts with it",
        }),
        (Some(_), end) => Err(ConfigError::OutOfRange {
            option: "number of eos_token_id",
            value: end.len() as f64,
            expected: "1 for the published model's original code".into(),
        }),
    }
}

/// The options with which our processors and limits work like those of the original code.
fn with_original_lengths(config: &GenerationConfig) -> GenerationConfig {
    let max_length = config.max_length.unwrap_or(DEFAULT_MAX_LENGTH);
    GenerationConfig {
        max_length: Some(max_length),
        min_length: match config.min_length {
            // Forbids the end token everywhere, or is refused because it is longer than the longest text.
            min_length if min_length == 0 || min_length >= max_length => min_length,
            min_length => min_length + 1,
        },
        ..config.clone()
    }
}
