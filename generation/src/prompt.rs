use crate::Phrase;

/// What to continue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Tokens to begin with, at least one: usually the start token. More of them are a prefix that
    /// the text has to have.
    pub tokens: Vec<u32>,
    /// First token to generate, instead of the configuration's: prompts of one batch may be
    /// continued in different languages.
    pub forced_bos_token_id: Option<u32>,
    /// What samples are drawn from, instead of the configuration's.
    pub seed: Option<u64>,
    /// Phrases that the text has to contain, besides the configuration's `force_words_ids`; beam
    /// search only.
    pub required: Vec<Phrase>,
    /// Phrases that the text must not contain; [`ForbiddenPhrase`](crate::processor::ForbiddenPhrase)
    /// says what that is worth where something else than an end token ends a text.
    pub forbidden: Vec<Phrase>,
}

impl Prompt {
    /// Tokens to begin with.
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

    /// Draws samples from this seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Requires a phrase, besides those that are required already.
    pub fn with_required(mut self, phrase: Phrase) -> Self {
        self.required.push(phrase);
        self
    }

    /// Forbids a phrase, besides those that are forbidden already.
    pub fn with_forbidden(mut self, phrase: Phrase) -> Self {
        self.forbidden.push(phrase);
        self
    }
}
