//! What edits scores before a token is chosen.

mod bad_words;
mod forced_bos_token;
mod forced_eos_token;
mod min_length;
mod no_repeat_ngram;
mod repetition_penalty;
mod suppress_tokens;

pub use bad_words::BadWords;
pub use forced_bos_token::ForcedBosToken;
pub use forced_eos_token::ForcedEosToken;
pub use min_length::MinLength;
pub use no_repeat_ngram::NoRepeatNGram;
pub use repetition_penalty::RepetitionPenalty;
pub use suppress_tokens::SuppressTokens;

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
    let length = prompt.tokens.len();
    let forced_bos_token_id = prompt.forced_bos_token_id.or(config.forced_bos_token_id);
    if config.repetition_penalty != 1.0 {
        let penalty = config.repetition_penalty as f32;
        list.push(Box::new(RepetitionPenalty::new(penalty)));
    }
    if config.no_repeat_ngram_size > 0 {
        list.push(Box::new(NoRepeatNGram::new(config.no_repeat_ngram_size)));
    }
    if !config.bad_words_ids.is_empty() {
        let words = BadWords::new(&config.bad_words_ids, &config.eos_token_id);
        list.push(Box::new(words));
    }
    let min_length = config.shortest(length);
    if min_length > 0 {
        list.push(Box::new(MinLength::new(min_length, &config.eos_token_id)));
    }
    if let Some(token) = forced_bos_token_id {
        list.push(Box::new(ForcedBosToken::new(token)));
    }
    if !config.forced_eos_token_id.is_empty() {
        let longest = config.longest(length);
        let tokens = &config.forced_eos_token_id;
        list.push(Box::new(ForcedEosToken::new(longest, tokens)));
    }
    if !config.suppress_tokens.is_empty() {
        list.push(Box::new(SuppressTokens::new(&config.suppress_tokens)));
    }
    if !config.begin_suppress_tokens.is_empty() {
        // A first token that is forced is not one that could be another.
        let is_forced = length == 1 && forced_bos_token_id.is_some();
        let begin = length + usize::from(is_forced);
        let tokens = &config.begin_suppress_tokens;
        list.push(Box::new(SuppressTokens::at_begin(tokens, begin)));
    }
    list
}

/// Makes the tokens impossible.
fn forbid(tokens: &[u32], scores: &mut [f32]) {
    for token in tokens {
        if let Some(score) = scores.get_mut(*token as usize) {
            *score = f32::NEG_INFINITY;
        }
    }
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
