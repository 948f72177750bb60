//! What the `generate` of the published model's original code returns, quirks included.
//!
//! The captions and BLEU scores of the CLIP-Vision-mBART50 model of 2021 were made with this. Use it
//! to reproduce them; for anything else there is [`VisionEncoderDecoder::generate`], whose search is
//! that of today's transformers. Nothing else in this crate knows of this module.
//!
//! - Pixel values are cut to integers before encoding ([`truncated_pixels`]). The model was trained
//!   on pixel values that were not.
//! - In beam search an ended text loses 10⁷ before its sum is divided by length^`length_penalty`.
//!   That outweighs all log-probabilities, so the longest of the ended texts wins.
//! - Sums of that size are whole numbers in 32 bits. Texts of one length that differ by less are
//!   equal then, and change places at every step.
//! - Places in the list of ended texts that are still empty count as -10⁷, and only what scores
//!   better is taken in. A text that ends right behind the start token does not, nor does any if
//!   `length_penalty` is 0 or below.
//! - A text that reaches `max_length` without an end token has not ended. If none has, the best of
//!   the running ones is returned, and its score is the sum of its log-probabilities.
//! - Without `early_stopping` the search goes on up to `max_length`, since running texts have not
//!   lost 10⁷ and seem better than all ended ones. (It stops if one image's do not, as when the end
//!   token is forced to be the first.)
//! - With `early_stopping` a list without an empty place is closed, so the longest of the first
//!   `num_beams` to end wins. The search stops when the lists of all images are closed, and until
//!   then equal texts go on changing places. So a caption may depend on the images in its batch.
//! - Greedy search has padding in place of the end token, and no score.
//! - The end token stays forbidden until a text is one token longer than `min_length`.
//! - All texts are filled with padding up to `max_length`, which is 20 where it is not set.
//!
//! Log-probabilities that are apart by rounding can round to different whole numbers at 10⁷, so a
//! score may rarely be 1 / length^`length_penalty` away from the original's.

use std::cell::RefCell;
use std::rc::Rc;

use burn::tensor::Tensor;
use generation::search::Step;
use generation::stopping::StoppingCriteria;
use generation::{
    ConfigError, EarlyStopping, Generation, GenerationConfig, Hypothesis, Prompt, Search,
};
use serde_json::{Map, Value};

use crate::{Decoder, Encoder, GenerateError, Memory, VisionEncoderDecoder};

/// What an ended text loses, and what an empty place in the list of ended texts counts as.
const PENALTY: f32 = -1.0e7;

/// `max_length` where it is not set.
const DEFAULT_MAX_LENGTH: usize = 20;

/// The text that the original returns for an image.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedText {
    /// `max_length` tokens: the start token, the generated ones, padding.
    pub tokens: Vec<u32>,
    /// Log-probability of each generated token, the end token included: see
    /// [`Hypothesis::token_log_probs`]. The original does not return them.
    pub token_log_probs: Vec<f32>,
    /// Beam search: the original's score. Greedy search, for which the original has none: that of
    /// [`VisionEncoderDecoder::generate`].
    pub score: f32,
}

/// The options that the original takes where a call names none: those of `mbart_config` in the
/// published form's `config.json`, where they are mBART's for translation. Of checkpoints in other
/// forms, whose `config.json` has no such part, they are `ordinary` ones.
///
/// # Errors
/// [`ConfigError`] if the text is no JSON object or an option has the wrong type.
pub fn generation_config(
    config_json: &str,
    ordinary: &GenerationConfig,
) -> Result<GenerationConfig, ConfigError> {
    let config: Map<String, Value> = serde_json::from_str(config_json)?;
    let Some(Value::Object(decoder)) = config.get("mbart_config") else {
        return Ok(ordinary.clone());
    };
    let options = decoder
        .iter()
        .filter(|(name, value)| generation::OPTIONS.contains(&name.as_str()) && !value.is_null());
    let options = options.map(|(name, value)| (name.clone(), value.clone()));
    ordinary.updated(&options.collect())
}

/// Pixel values as the original encodes them: cut to integers, toward zero.
///
/// # Shapes
/// - pixel_values: `[images, channels, height, width]`
/// - output: likewise
pub fn truncated_pixels(pixel_values: Tensor<4>) -> Tensor<4> {
    pixel_values.trunc()
}

/// Checks that the original can do what the options ask for.
///
/// # Errors
/// [`ConfigError::Invalid`], naming the option.
pub fn validate(config: &GenerationConfig) -> Result<(), ConfigError> {
    special_tokens(config)?;
    // What the original knows, as it would be with all else at its default.
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
        // Without effect unless do_sample is set, which is refused.
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
        return Err(ConfigError::Invalid(format!(
            "the published model's original code does not know {}",
            unknown.join(", ")
        )));
    }
    with_original_lengths(config).validate(1)
}

/// Captions images as the original does: one text for each.
///
/// `memory` is what the model makes of [`truncated_pixels`]. The language of all of them is the
/// option `forced_bos_token_id`; as in the original, another language is another call.
///
/// # Errors
/// [`GenerateError`]: options that [`validate`] refuses, no start token, or a device that failed.
pub fn generate<E: Encoder, D: Decoder>(
    model: &VisionEncoderDecoder<E, D>,
    memory: Memory,
    config: &GenerationConfig,
) -> Result<Vec<PublishedText>, GenerateError> {
    validate(config)?;
    let SpecialTokens { pad, end } = special_tokens(config)?;
    let prompt = Prompt::new(vec![config.start_token()?]);
    let config = with_original_lengths(config);

    let [images, _, _] = memory.hidden.dims();
    let row_images: Vec<usize> = (0..images).collect();
    let prompts = vec![prompt; images];
    let is_greedy = config.num_beams == 1;
    let found = if is_greedy {
        model.generate_from(memory, &row_images, &prompts, &config)?
    } else {
        let batch = Rc::new(RefCell::new(Batch::new(images)));
        let searches = prompts.iter().map(|prompt| {
            let search = BeamSearch::new(&config, prompt, end, Rc::clone(&batch));
            Box::new(search) as Box<dyn Search>
        });
        let generation = Generation::new(config.clone()).with_searches(searches.collect());
        model.generate_with(memory, &row_images, &prompts, generation, None)?
    };
    let texts = found.into_iter().flatten().map(|mut found| {
        if is_greedy && found.generated_tokens().last() == Some(&end) {
            found.tokens.pop();
        }
        found.tokens.resize(config.longest(1), pad);
        PublishedText {
            tokens: found.tokens,
            token_log_probs: found.token_log_probs,
            score: found.score,
        }
    });
    Ok(texts.collect())
}

struct SpecialTokens {
    pad: u32,
    end: u32,
}

fn special_tokens(config: &GenerationConfig) -> Result<SpecialTokens, ConfigError> {
    match (config.pad_token_id, config.eos_token_id.as_slice()) {
        (Some(pad), [end]) => Ok(SpecialTokens { pad, end: *end }),
        (pad, end) => Err(ConfigError::Invalid(format!(
            "the published model's original code needs a pad_token_id and one eos_token_id, found {pad:?} and {end:?}"
        ))),
    }
}

/// The options under which our processors and limits do what the original's do.
fn with_original_lengths(config: &GenerationConfig) -> GenerationConfig {
    let max_length = config.max_length.unwrap_or(DEFAULT_MAX_LENGTH);
    GenerationConfig {
        max_length: Some(max_length),
        min_length: match config.min_length {
            // No end token at all, or, beyond the longest, the error that it is.
            min_length if min_length == 0 || min_length >= max_length => min_length,
            min_length => min_length + 1,
        },
        ..config.clone()
    }
}

/// The original's beam search for one image.
///
/// Every number is computed in 32 bits and in the original's order, and among equal ones the earlier
/// comes first, as in `lax.top_k`, since ties are common (see the [module](self)).
struct BeamSearch {
    num_beams: usize,
    length_penalty: f64,
    early_stopping: bool,
    max_length: usize,
    end: u32,
    /// Worst first; the score is the sum of the log-probabilities.
    running: Vec<Hypothesis>,
    /// Worst first, at most `num_beams`; the score is divided by the length.
    ended: Vec<Hypothesis>,
    batch: Rc<RefCell<Batch>>,
}

/// A running text with one token more; the score is the sum, [`PENALTY`] included if it has ended.
struct Candidate {
    text: Hypothesis,
    parent: usize,
    has_ended: bool,
}

impl BeamSearch {
    fn new(
        config: &GenerationConfig,
        prompt: &Prompt,
        end: u32,
        batch: Rc<RefCell<Batch>>,
    ) -> Self {
        Self {
            num_beams: config.num_beams,
            length_penalty: config.length_penalty,
            early_stopping: config.early_stopping == EarlyStopping::FirstFinished,
            max_length: config.longest(prompt.tokens.len()),
            end,
            running: vec![Hypothesis::of_prompt(prompt.tokens.clone())],
            ended: Vec::new(),
            batch,
        }
    }

    /// Twice as many candidates as beams, best first, so that enough are left if half of them end.
    fn candidates(&self, rows: &[Hypothesis], step: &Step<'_>) -> Vec<Candidate> {
        step.best_continuations(rows, 2 * self.num_beams)
            .into_iter()
            .map(|mut next| {
                let has_ended = next.token == self.end;
                next.score += if has_ended { PENALTY } else { 0.0 };
                Candidate {
                    text: step.extended(&rows[next.row], &next),
                    parent: next.row,
                    has_ended,
                }
            })
            .collect()
    }

    /// The candidates of the first step: the original begins with equal rows, all but one of which
    /// are charged.
    fn first_candidates(&self, step: &Step<'_>) -> Vec<Candidate> {
        let mut rows = vec![self.running[0].clone(); self.num_beams];
        rows[1..].iter_mut().for_each(|row| row.score = PENALTY);
        let mut scores = step.scores(0).repeat(self.num_beams);
        let stopping = StoppingCriteria::new(Vec::new());
        let repeated = Step::new(&mut scores, step.vocab_size(), &stopping);
        let mut candidates = self.candidates(&rows, &repeated);
        candidates.iter_mut().for_each(|next| next.parent = 0);
        candidates
    }

    /// Takes in the texts that have ended, where they are better than what is there, unless the list
    /// is closed. `length` is that of a text without its end token.
    fn take_in(&mut self, candidates: Vec<Candidate>, length: usize) {
        let is_closed = self.is_closed();
        let divisor = (length as f64).powf(f64::from(self.length_penalty as f32)) as f32;
        for mut candidate in candidates {
            candidate.text.score /= divisor;
            if candidate.has_ended && candidate.text.score > PENALTY && !is_closed {
                self.ended.push(candidate.text);
            }
        }
        // Of a closed list too: equal ones change places.
        keep_best(&mut self.ended, self.num_beams, |text| text.score);
    }

    /// Whether nothing is taken in any more.
    fn is_closed(&self) -> bool {
        self.early_stopping && self.ended.len() == self.num_beams
    }

    /// Whether the best running text, were it as long as possible, is better than the worst place.
    fn can_improve(&self) -> bool {
        let worst = match self.ended.as_slice() {
            [worst, ..] if self.ended.len() == self.num_beams => worst.score,
            _ => PENALTY,
        };
        let divisor = (self.max_length as f64).powf(self.length_penalty) as f32;
        let best = self.running.last();
        best.is_some_and(|best| worst < best.score / divisor)
    }
}

impl Search for BeamSearch {
    fn rows(&self) -> &[Hypothesis] {
        &self.running
    }

    fn processes_log_probs(&self) -> bool {
        true
    }

    fn advance(&mut self, step: Step<'_>) -> Vec<usize> {
        let length = self.running[0].tokens.len();
        if self.batch.borrow().is_over {
            return Vec::new();
        }
        let candidates = match self.running.len() {
            1 => self.first_candidates(&step),
            _ => self.candidates(&self.running, &step),
        };
        let mut best: Vec<&Candidate> = candidates.iter().collect();
        keep_best(&mut best, self.num_beams, |next| next.text.score);
        let parents = best.iter().map(|next| next.parent).collect();
        self.running = best.iter().map(|next| next.text.clone()).collect();
        self.take_in(candidates, length);

        let mut batch = self.batch.borrow_mut();
        batch.hear(self.is_closed(), self.can_improve());
        if batch.is_over || length + 1 == self.max_length {
            return Vec::new();
        }
        parents
    }

    fn finish(mut self: Box<Self>) -> Vec<Hypothesis> {
        let best = self.ended.pop().or_else(|| self.running.pop());
        best.into_iter().collect()
    }
}

/// What the searches of a batch decide together: when to stop.
///
/// Each says at every step how it stands. The last one's word completes the decision; the others
/// learn of it at the next step.
struct Batch {
    searches: usize,
    heard: usize,
    all_are_closed: bool,
    all_can_improve: bool,
    is_over: bool,
}

impl Batch {
    fn new(searches: usize) -> Self {
        Self {
            searches,
            heard: 0,
            all_are_closed: true,
            all_can_improve: true,
            is_over: false,
        }
    }

    /// How one search stands after a step.
    fn hear(&mut self, is_closed: bool, can_improve: bool) {
        self.all_are_closed &= is_closed;
        self.all_can_improve &= can_improve;
        self.heard += 1;
        if self.heard == self.searches {
            self.is_over = self.all_are_closed || !self.all_can_improve;
            (self.heard, self.all_are_closed, self.all_can_improve) = (0, true, true);
        }
    }
}

/// Keeps the items of the highest scores, worst first. Of equal ones those that come earlier are
/// kept, and come last.
fn keep_best<T>(items: &mut Vec<T>, count: usize, score: impl Fn(&T) -> f32) {
    items.sort_by(|a, b| score(b).total_cmp(&score(a))); // stable
    items.truncate(count);
    items.reverse();
}
