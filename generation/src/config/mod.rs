//! The options of generation, and how they are read and checked.

mod error;
mod json;
#[cfg(test)]
mod tests;
mod validate;
mod values;

pub use error::ConfigError;
pub use values::EarlyStopping;

pub(crate) use validate::MAX_ROWS;

use serde::{Deserialize, Serialize};

/// How to generate: the options of Hugging Face's `GenerationConfig` that this crate knows, with
/// their names, meanings and defaults. The last two, `seed` and `patience`, are this crate's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GenerationConfig {
    /// Hypotheses that beam search pursues at once; 1 is greedy search, or sampling.
    pub num_beams: usize,
    /// Hypotheses to return per prompt: at most `num_beams`, but any number of samples.
    pub num_return_sequences: usize,
    /// Beam search divides a hypothesis's log-probability by its generated length to this power:
    /// above 0 favours long texts, below 0 short ones.
    pub length_penalty: f64,
    /// When beam search may stop.
    pub early_stopping: EarlyStopping,
    /// Groups that the beams are divided into, which are kept from writing the same: diverse beam
    /// search, if there are more than one.
    pub num_beam_groups: usize,
    /// What a token loses for each beam of an earlier group that takes it at the same step.
    pub diversity_penalty: f64,
    /// Draws tokens by their probabilities instead of taking the most likely.
    pub do_sample: bool,
    /// Divides scores before sampling: below 1 makes likely tokens more likely.
    pub temperature: f64,
    /// Sampling: only so many most likely tokens; 0 allows all. Contrastive search: the tokens to
    /// choose from.
    pub top_k: usize,
    /// Sampling: only the most likely tokens whose probabilities together reach this.
    pub top_p: f64,
    /// Sampling: only tokens that are at least so likely, measured by the most likely one.
    pub min_p: Option<f64>,
    /// Sampling: only the most likely tokens that together have this share of the entropy.
    pub top_h: Option<f64>,
    /// Sampling: only the tokens nearest to the expected information that together reach this.
    pub typical_p: f64,
    /// Sampling: only tokens of at least this probability.
    pub epsilon_cutoff: f64,
    /// Sampling: likewise, but less where the distribution is flat.
    pub eta_cutoff: f64,
    /// Contrastive search: how much a token loses by making the text more alike to itself, from 0
    /// to 1.
    pub penalty_alpha: Option<f64>,
    /// Divides the scores of tokens that the text has already: above 1 discourages repetition.
    pub repetition_penalty: f64,
    /// No sequence of so many tokens comes twice; 0 allows all.
    pub no_repeat_ngram_size: usize,
    /// Sequences of tokens that never come.
    pub bad_words_ids: Vec<Vec<u32>>,
    /// Sequences of tokens that have to come, or for each a list of which one has to; beam search
    /// only.
    #[serde(deserialize_with = "values::phrases")]
    pub force_words_ids: Vec<Vec<Vec<u32>>>,
    /// Sequences of tokens and what is added to the score of the last where the others stand in
    /// front of it.
    pub sequence_bias: Vec<(Vec<u32>, f64)>,
    /// Tokens that never come.
    pub suppress_tokens: Vec<u32>,
    /// Tokens that never come first, or right behind a first token that is forced.
    pub begin_suppress_tokens: Vec<u32>,
    /// From so many new tokens on, the end token's score grows by this factor with each token.
    pub exponential_decay_length_penalty: Option<(usize, f64)>,
    /// Makes log-probabilities of the scores again after all processors.
    pub renormalize_logits: bool,
    /// Longest text in tokens, prompt included. Without it and `max_new_tokens`, 20 new tokens.
    pub max_length: Option<usize>,
    /// Most tokens to generate; takes precedence over `max_length`.
    pub max_new_tokens: Option<usize>,
    /// No end token before the text has this length, prompt included.
    pub min_length: usize,
    /// No end token before this many new tokens; takes precedence over `min_length`.
    pub min_new_tokens: Option<usize>,
    /// Seconds after which texts end where they are.
    pub max_time: Option<f64>,
    /// Strings of which one ends a text; JSON may have one, many or null.
    #[serde(deserialize_with = "values::strings")]
    pub stop_strings: Vec<String>,
    /// First token to generate, such as mBART's language code.
    pub forced_bos_token_id: Option<u32>,
    /// Tokens of which one ends a text that reaches its longest; JSON may have one, many or null.
    #[serde(deserialize_with = "values::tokens")]
    pub forced_eos_token_id: Vec<u32>,
    /// Token that generation starts from.
    pub decoder_start_token_id: Option<u32>,
    /// Token that begins a text where there is no `decoder_start_token_id`.
    pub bos_token_id: Option<u32>,
    /// Token that fills the shorter texts of a batch.
    pub pad_token_id: Option<u32>,
    /// Tokens that end a text; JSON may have one, many or null.
    #[serde(deserialize_with = "values::tokens")]
    pub eos_token_id: Vec<u32>,
    /// What samples are drawn from: the same seed draws the same texts.
    pub seed: u64,
    /// Beam search keeps `num_beams` times so many finished hypotheses before it may stop: above 1
    /// looks further (Kasai et al., "A Call for Clarity in Beam Search", 2022).
    pub patience: f64,
}

/// The options of [`GenerationConfig`], by their names.
pub const OPTIONS: &[&str] = &[
    "num_beams",
    "num_return_sequences",
    "length_penalty",
    "early_stopping",
    "num_beam_groups",
    "diversity_penalty",
    "do_sample",
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "top_h",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
    "penalty_alpha",
    "repetition_penalty",
    "no_repeat_ngram_size",
    "bad_words_ids",
    "force_words_ids",
    "sequence_bias",
    "suppress_tokens",
    "begin_suppress_tokens",
    "exponential_decay_length_penalty",
    "renormalize_logits",
    "max_length",
    "max_new_tokens",
    "min_length",
    "min_new_tokens",
    "max_time",
    "stop_strings",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "decoder_start_token_id",
    "bos_token_id",
    "pad_token_id",
    "eos_token_id",
    "seed",
    "patience",
];

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
        }
    }
}

impl GenerationConfig {
    /// The token that generation starts from.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] if neither `decoder_start_token_id` nor `bos_token_id` is set.
    pub fn start_token(&self) -> Result<u32, ConfigError> {
        self.decoder_start_token_id
            .or(self.bos_token_id)
            .ok_or(ConfigError::Missing {
                option: "decoder_start_token_id",
                reason: "there is no token to start from (mBART-50 starts from </s>, 2)",
            })
    }

    /// Longest text behind a prompt of `prompt_length` tokens, both counted.
    pub fn longest(&self, prompt_length: usize) -> usize {
        match (self.max_new_tokens, self.max_length) {
            (Some(new), _) => prompt_length.saturating_add(new),
            (None, Some(length)) => length,
            (None, None) => prompt_length + DEFAULT_NEW_TOKENS,
        }
    }

    /// Tokens that the model is fed at most, likewise. The last token of a text is not, unless
    /// contrastive search looks at what the model makes of it before it takes it.
    pub fn longest_fed(&self, prompt_length: usize) -> usize {
        let last = usize::from(!self.is_contrastive());
        self.longest(prompt_length).saturating_sub(last)
    }

    /// Length below which no text ends, prompt counted.
    pub fn shortest(&self, prompt_length: usize) -> usize {
        match self.min_new_tokens {
            Some(new) => prompt_length.saturating_add(new),
            None => self.min_length,
        }
    }

    /// Whether contrastive search is asked for.
    pub(crate) fn is_contrastive(&self) -> bool {
        self.penalty_alpha.is_some_and(|alpha| alpha > 0.0)
    }

    /// Finished hypotheses that beam search keeps.
    pub(crate) fn finished_places(&self, num_beams: usize) -> usize {
        ((num_beams as f64 * self.patience).round() as usize).max(1)
    }
}
