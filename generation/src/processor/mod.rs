//! What edits scores before a token is chosen.

mod forced_bos_token;
mod forced_eos_token;
mod min_length;

pub use forced_bos_token::ForcedBosToken;
pub use forced_eos_token::ForcedEosToken;
pub use min_length::MinLength;

use crate::{GenerationConfig, Prompt};

/// Edits the scores of one row.
pub trait LogitsProcessor: Send + Sync {
    /// `tokens` are all tokens of the row so far, prompt included; `scores` has one entry per token
    /// of the vocabulary: logits in greedy search, log-probabilities in beam search, as in Hugging
    /// Face. Minus infinity forbids a token.
    fn process(&self, tokens: &[u32], scores: &mut [f32]);
}

/// The processors that a configuration asks for, for one prompt, in Hugging Face's order.
pub(crate) fn processors(
    config: &GenerationConfig,
    prompt: &Prompt,
) -> Vec<Box<dyn LogitsProcessor>> {
    let mut list: Vec<Box<dyn LogitsProcessor>> = Vec::new();
    let min_length = config.shortest(prompt.tokens.len());
    if min_length > 0 {
        list.push(Box::new(MinLength::new(min_length, &config.eos_token_id)));
    }
    if let Some(token) = prompt.forced_bos_token_id.or(config.forced_bos_token_id) {
        list.push(Box::new(ForcedBosToken::new(token)));
    }
    if !config.forced_eos_token_id.is_empty() {
        let longest = config.longest(prompt.tokens.len());
        let tokens = &config.forced_eos_token_id;
        list.push(Box::new(ForcedEosToken::new(longest, tokens)));
    }
    list
}

/// Makes the tokens certain and all others impossible.
fn force(tokens: &[u32], scores: &mut [f32]) {
    scores.fill(f32::NEG_INFINITY);
    for token in tokens {
        if let Some(score) = scores.get_mut(*token as usize) {
            *score = 0.0;
        }
    }
}
