//! The options of generation, and how they are read and checked.

mod error;
mod json;
mod origin;
mod read;
mod table;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_files;
mod unused;
mod validate;
mod values;
mod write;

pub use error::ConfigError;
pub use origin::{Ignored, IgnoredReason, OptionSource, Origin};
pub use table::OPTIONS;
pub use values::EarlyStopping;

pub(crate) use validate::{different, too_many};

use serde::Serialize;

/// How to generate: the options of Hugging Face's `GenerationConfig` that this crate supports, with
/// their names, meanings and defaults. The last two, `seed` and `patience`, exist only here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GenerationConfig {
    /// Number of beams; 1 is greedy search, or sampling.
    pub num_beams: usize,
    /// Hypotheses to return per prompt: at most `num_beams`, but any number of samples.
    pub num_return_sequences: usize,
    /// Beam search divides the log-probability of a hypothesis by its generated length to the power
    /// of this: values above 0 favour long texts, values below 0 short ones.
    pub length_penalty: f64,
    /// When beam search may stop.
    pub early_stopping: EarlyStopping,
    /// Number of groups that the beams are divided into. More than 1 is diverse beam search, which
    /// makes the texts of the groups differ.
    pub num_beam_groups: usize,
    /// Subtracted from the score of a token for each beam of an earlier group that takes the token at
    /// the same step.
    pub diversity_penalty: f64,
    /// Samples tokens by their probabilities instead of taking the most likely one.
    pub do_sample: bool,
    /// Sampling: divides the logits; values below 1 make likely tokens more likely.
    pub temperature: f64,
    /// Sampling: keeps only this many of the most likely tokens; 0 keeps all. Contrastive search: the
    /// number of candidates.
    pub top_k: usize,
    /// Sampling: keeps the smallest set of most likely tokens whose probabilities sum to this.
    pub top_p: f64,
    /// Sampling: keeps tokens that are at least this many times as likely as the most likely one.
    pub min_p: Option<f64>,
    /// Sampling: keeps the most likely tokens that together have this share of the entropy.
    pub top_h: Option<f64>,
    /// Sampling: keeps the tokens whose information is nearest to the entropy, until their
    /// probabilities sum to this.
    pub typical_p: f64,
    /// Sampling: keeps tokens of at least this probability.
    pub epsilon_cutoff: f64,
    /// Sampling: keeps tokens of at least this probability, or of less where the distribution is
    /// flat.
    pub eta_cutoff: f64,
    /// Contrastive search, if above 0: weight of the penalty for tokens whose hidden state is similar
    /// to those of the text so far, from 0 to 1. It needs a `top_k` above 1, and neither beams nor sampling.
    pub penalty_alpha: Option<f64>,
    /// Makes tokens that the text already has less likely, if above 1, by dividing positive scores
    /// and multiplying negative ones.
    pub repetition_penalty: f64,
    /// No sequence of this many tokens occurs twice; 0 allows all.
    pub no_repeat_ngram_size: usize,
    /// Sequences of tokens that must not occur.
    pub bad_words_ids: Vec<Vec<u32>>,
    /// Phrases that have to occur. Each is a list of alternatives, sequences of tokens of which one
    /// has to occur; JSON may have a single sequence. Beam search only.
    pub force_words_ids: Vec<Vec<Vec<u32>>>,
    /// Sequences of tokens, and what is added to the score of the last token after the others.
    pub sequence_bias: Vec<(Vec<u32>, f64)>,
    /// Tokens that must not occur.
    pub suppress_tokens: Vec<u32>,
    /// Tokens that must not be generated first, or directly after a forced first token.
    pub begin_suppress_tokens: Vec<u32>,
    /// After this many new tokens, the score of the end token grows by this factor with each token.
    pub exponential_decay_length_penalty: Option<(i64, f64)>,
    /// Normalises the scores to log-probabilities again after all processors.
    pub renormalize_logits: bool,
    /// Most tokens of a text, prompt included. Without this and `max_new_tokens`, 20 new tokens.
    pub max_length: Option<usize>,
    /// Most tokens to generate; takes precedence over `max_length`.
    pub max_new_tokens: Option<usize>,
    /// No end token before the text has this many tokens, prompt included.
    pub min_length: usize,
    /// No end token before this many new tokens; takes precedence over `min_length`.
    pub min_new_tokens: Option<usize>,
    /// Seconds after which the texts end as they are, after the current step.
    pub max_time: Option<f64>,
    /// Strings that end a text; JSON may have one string, a list or null.
    pub stop_strings: Vec<String>,
    /// First token to generate, for example mBART's language code.
    pub forced_bos_token_id: Option<u32>,
    /// Tokens of which one is forced as the last token of a text of the greatest length; JSON may
    /// have one token, a list or null.
    pub forced_eos_token_id: Vec<u32>,
    /// Token that generation starts from.
    pub decoder_start_token_id: Option<u32>,
    /// Token that generation starts from if there is no `decoder_start_token_id`.
    pub bos_token_id: Option<u32>,
    /// Token that pads the shorter texts of a batch. Unused here: texts are not padded.
    pub pad_token_id: Option<u32>,
    /// Tokens that end a text; JSON may have one token, a list or null.
    pub eos_token_id: Vec<u32>,
    /// Seed of the samples: the same seed gives the same texts.
    pub seed: u64,
    /// Beam search may stop when it has `patience` times `num_beams` finished hypotheses: values
    /// above 1 search longer (Kasai et al., "A Call for Clarity in Beam Search", 2022).
    pub patience: f64,
    /// Where the options were read from, and what could not be read of them. A struct update (`..config`) keeps it.
    /// An option that could not be read counts as such until it gets another value than its default, or until
    /// [`updated`](Self::updated) or [`with_settings`](Self::with_settings) sets it.
    #[serde(skip)]
    pub origin: Origin,
}

const DEFAULT_NEW_TOKENS: usize = 20;

impl Default for GenerationConfig {
    fn default() -> Self {
        Self {
            num_beams: 1,
            num_return_sequences: 1,
            length_penalty: 1.0,
            early_stopping: EarlyStopping::default(),
            num_beam_groups: 1,
            diversity_penalty: 0.0,
            do_sample: false,
            temperature: 1.0,
            top_k: 50,
            top_p: 1.0,
            min_p: None,
            top_h: None,
            typical_p: 1.0,
            epsilon_cutoff: 0.0,
            eta_cutoff: 0.0,
            penalty_alpha: None,
            repetition_penalty: 1.0,
            no_repeat_ngram_size: 0,
            bad_words_ids: Vec::new(),
            force_words_ids: Vec::new(),
            sequence_bias: Vec::new(),
            suppress_tokens: Vec::new(),
            begin_suppress_tokens: Vec::new(),
            exponential_decay_length_penalty: None,
            renormalize_logits: false,
            max_length: None,
            max_new_tokens: None,
            min_length: 0,
            min_new_tokens: None,
            max_time: None,
            stop_strings: Vec::new(),
            forced_bos_token_id: None,
            forced_eos_token_id: Vec::new(),
            decoder_start_token_id: None,
            bos_token_id: None,
            pad_token_id: None,
            eos_token_id: Vec::new(),
            seed: 0,
            patience: 1.0,
            origin: Origin::default(),
        }
    }
}

impl GenerationConfig {
    /// The token that generation starts from.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] if neither `decoder_start_token_id` nor `bos_token_id` is set, and [`ConfigError::Value`]
    /// if the one that counts is not a token.
    pub fn start_token(&self) -> Result<u32, ConfigError> {
        for (name, token) in [
            ("decoder_start_token_id", self.decoder_start_token_id),
            ("bos_token_id", self.bos_token_id),
        ] {
            self.check_readable(name)
                .map_err(|error| self.located(error))?;
            if let Some(token) = token {
                return Ok(token);
            }
        }
        Err(ConfigError::Missing {
            option: "decoder_start_token_id",
            reason: "there is no token to start from (mBART-50 starts from </s>, 2)",
        })
    }

    /// Most tokens of a text whose prompt has `prompt_length` tokens, prompt included.
    pub fn longest(&self, prompt_length: usize) -> usize {
        match (self.max_new_tokens, self.max_length) {
            (Some(new), _) => prompt_length.saturating_add(new),
            (None, Some(length)) => length,
            (None, None) => prompt_length.saturating_add(DEFAULT_NEW_TOKENS),
        }
    }

    /// Most tokens that the model is fed for a text whose prompt has `prompt_length` tokens, prompt
    /// included. The last token of a text is not fed, except by contrastive search, which needs the
    /// hidden state of each candidate.
    pub fn longest_fed(&self, prompt_length: usize) -> usize {
        let last = usize::from(!self.is_contrastive());
        self.longest(prompt_length).saturating_sub(last)
    }

    /// Fewest tokens of a text that an end token ends, for a prompt of `prompt_length` tokens, prompt
    /// included.
    pub fn shortest(&self, prompt_length: usize) -> usize {
        match self.min_new_tokens {
            Some(new) => prompt_length.saturating_add(new),
            None => self.min_length,
        }
    }

    /// Whether the strategy is contrastive search.
    pub(crate) fn is_contrastive(&self) -> bool {
        let is_asked_for = self.penalty_alpha.is_some_and(|alpha| alpha > 0.0);
        is_asked_for && self.top_k > 1 && self.num_beams == 1 && !self.do_sample
    }

    /// The number of finished hypotheses that beam search keeps.
    pub(crate) fn finished_capacity(&self, num_beams: usize) -> usize {
        ((num_beams as f64 * self.patience).round() as usize).max(1)
    }
}
