//! Processors, which edit scores before a token is chosen.

mod allowed_tokens;
mod bad_words;
mod endings;
mod epsilon_cutoff;
mod eta_cutoff;
mod exponential_decay;
mod forbidden_phrase;
mod forced_bos_token;
mod forced_eos_token;
mod list;
mod log_normalization;
mod min_length;
mod min_p;
mod no_repeat_ngram;
mod repetition_penalty;
mod sequence_bias;
mod suppress_tokens;
mod temperature;
mod top_h;
mod top_k;
mod top_p;
mod typical_p;

pub use allowed_tokens::AllowedTokensFn;
pub use list::processors;

pub(crate) use forbidden_phrase::ForbiddenPhrases;
pub(crate) use list::{Extra, Lists, processors_with};

use allowed_tokens::AllowedTokens;
use bad_words::BadWords;
use epsilon_cutoff::EpsilonCutoff;
use eta_cutoff::EtaCutoff;
use exponential_decay::ExponentialDecay;
use forced_bos_token::ForcedBosToken;
use forced_eos_token::ForcedEosToken;
use log_normalization::LogNormalization;
use min_length::MinLength;
use min_p::MinP;
use no_repeat_ngram::NoRepeatNGram;
use repetition_penalty::RepetitionPenalty;
use sequence_bias::SequenceBias;
use suppress_tokens::SuppressTokens;
use temperature::Temperature;
use top_h::TopH;
use top_k::TopK;
use top_p::TopP;
use typical_p::TypicalP;

use crate::numeric::LargestFirst;

/// Edits the scores of one row before a token is chosen.
pub trait LogitsProcessor: Send + Sync {
    /// Edits `scores`, which has one entry per token of the vocabulary: log-probabilities in beam
    /// search and logits otherwise, as in Hugging Face. Minus infinity forbids a token. `tokens` are
    /// all tokens of the row so far, prompt included.
    fn process(&self, tokens: &[u32], scores: &mut [f32]);
}

/// Makes the tokens impossible.
fn forbid(tokens: &[u32], scores: &mut [f32]) {
    for token in tokens {
        if let Some(score) = scores.get_mut(*token as usize) {
            *score = f32::NEG_INFINITY;
        }
    }
}

/// Gives the tokens a score of 0 and makes all others impossible.
fn force(tokens: &[u32], scores: &mut [f32]) {
    scores.fill(f32::NEG_INFINITY);
    for token in tokens {
        if let Some(score) = scores.get_mut(*token as usize) {
            *score = 0.0;
        }
    }
}

/// Makes tokens with a score below `least` impossible.
fn forbid_below(least: f32, scores: &mut [f32]) {
    for score in scores {
        *score = if *score < least {
            f32::NEG_INFINITY
        } else {
            *score
        };
    }
}

/// Makes all tokens impossible except the first `kept` of an order by score.
fn forbid_below_rank(kept: usize, mut order: LargestFirst, scores: &mut [f32]) {
    let Some((worst, _)) = kept.checked_sub(1).and_then(|rank| order.get(rank)) else {
        return;
    };
    // Tokens with the score of the last one kept that come after it in the order.
    let mut rank = kept;
    let mut equal = Vec::new();
    while let Some((_, token)) = order.get(rank).filter(|(score, _)| *score == worst) {
        equal.push(token);
        rank += 1;
    }
    forbid_below(worst, scores);
    forbid(&equal, scores);
}
