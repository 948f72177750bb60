//! When a text is complete.

mod end_token;
mod max_length;

pub use end_token::EndToken;
pub use max_length::MaxLength;

use crate::GenerationConfig;

/// A rule that completes texts.
pub trait StoppingCriterion: Send + Sync {
    /// Whether a text is complete with its last token. `tokens` starts with the prompt.
    fn is_complete(&self, tokens: &[u32]) -> bool;
}

/// The criteria that a configuration asks for, given the prompt's length.
pub(crate) fn criteria(
    config: &GenerationConfig,
    prompt_length: usize,
) -> Vec<Box<dyn StoppingCriterion>> {
    vec![
        Box::new(MaxLength::new(config.longest(prompt_length))),
        Box::new(EndToken::new(config.eos_token_id.clone())),
    ]
}
