//! Stopping criteria, which say when a text is complete.

mod criteria;
mod end_token;
mod max_length;
mod max_time;
mod stop_strings;

pub(crate) use criteria::StoppingCriteria;

use end_token::EndToken;
use max_length::MaxLength;
use max_time::MaxTime;
use stop_strings::StopStrings;

/// Says when a text is complete.
pub trait StoppingCriterion: Send + Sync {
    /// Whether a text is complete with its last token. `tokens` starts with the prompt.
    fn is_complete(&self, tokens: &[u32]) -> bool;

    /// Whether all texts of the prompt are complete with their next token. Called once per step, so
    /// that the answer may depend on time.
    fn is_over(&self) -> bool {
        false
    }
}
