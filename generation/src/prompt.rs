use std::fmt;
use std::sync::Arc;

use crate::processor::AllowedTokensFn;
use crate::{GenerationConfig, LogitsProcessor, Phrase, StoppingCriterion};

/// A text to continue, and its own options.
///
/// The prompts of a batch can have different options. Whatever a prompt does not set, it takes from
/// the [`Generation`](crate::Generation) that runs it.
#[derive(Clone, Default)]
pub struct Prompt {
    /// Tokens to begin with, at least one: usually the start token. More tokens are a prefix of the
    /// generated text.
    pub tokens: Vec<u32>,
    /// First token to generate, in place of the configuration's: for example a language code.
    pub forced_bos_token_id: Option<u32>,
    /// Seed of the samples, in place of the configuration's.
    pub seed: Option<u64>,
    /// Phrases that the text has to contain, in addition to the configuration's `force_words_ids`;
    /// beam search only.
    pub required: Vec<Phrase>,
    /// Phrases that the text must not contain. Only a text that `max_time` or an observer cuts short
    /// may end with one.
    pub forbidden: Vec<Phrase>,
    /// Configuration of this prompt, in place of the call's.
    pub config: Option<Arc<GenerationConfig>>,
    /// Processors of this prompt, in place of the call's; if empty, the call's are used.
    pub processors: Vec<Arc<dyn LogitsProcessor>>,
    /// Stopping criteria of this prompt, in place of the call's; if empty, the call's are used.
    pub stopping_criteria: Vec<Arc<dyn StoppingCriterion>>,
    /// Tokens that may follow the tokens of a row, in place of the call's function.
    pub allowed_tokens: Option<Arc<AllowedTokensFn>>,
    /// How many alternatives to return with each token, in place of the call's number.
    pub alternatives: Option<usize>,
}

impl Prompt {
    /// A prompt with these tokens and the options of the call.
    pub fn new(tokens: Vec<u32>) -> Self {
        Self {
            tokens,
            ..Self::default()
        }
    }

    /// Forces the first generated token.
    pub fn with_forced_bos_token_id(mut self, token: u32) -> Self {
        self.forced_bos_token_id = Some(token);
        self
    }

    /// Sets the seed of the samples.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Adds a phrase that the text has to contain.
    pub fn with_required(mut self, phrase: Phrase) -> Self {
        self.required.push(phrase);
        self
    }

    /// Adds a phrase that the text must not contain.
    pub fn with_forbidden(mut self, phrase: Phrase) -> Self {
        self.forbidden.push(phrase);
        self
    }

    /// Sets the configuration of this prompt. Several prompts can share one.
    pub fn with_config(mut self, config: impl Into<Arc<GenerationConfig>>) -> Self {
        self.config = Some(config.into());
        self
    }

    /// Adds a processor of this prompt. With at least one, the call's processors are not used.
    pub fn with_processor(mut self, processor: impl LogitsProcessor + 'static) -> Self {
        self.processors.push(Arc::new(processor));
        self
    }

    /// Adds a stopping criterion of this prompt. With at least one, the call's are not used.
    pub fn with_stopping_criterion(mut self, rule: impl StoppingCriterion + 'static) -> Self {
        self.stopping_criteria.push(Arc::new(rule));
        self
    }

    /// Sets the function that is given the tokens of a row, prompt included, and returns the tokens
    /// that may come next. Hugging Face: `prefix_allowed_tokens_fn`.
    pub fn with_allowed_tokens(
        mut self,
        allowed: impl Fn(&[u32]) -> Vec<u32> + Send + Sync + 'static,
    ) -> Self {
        self.allowed_tokens = Some(Arc::new(allowed));
        self
    }

    /// Returns this many of the most likely tokens with each token.
    pub fn with_alternatives(mut self, count: usize) -> Self {
        self.alternatives = Some(count);
        self
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Code can't be shown, only that it is there.
        formatter
            .debug_struct("Prompt")
            .field("tokens", &self.tokens)
            .field("forced_bos_token_id", &self.forced_bos_token_id)
            .field("seed", &self.seed)
            .field("required", &self.required)
            .field("forbidden", &self.forbidden)
            .field("config", &self.config)
            .field("processors", &self.processors.len())
            .field("stopping_criteria", &self.stopping_criteria.len())
            .field("allowed_tokens", &self.allowed_tokens.is_some())
            .field("alternatives", &self.alternatives)
            .finish()
    }
}
