//! Search strategies, and what a custom one needs.
//!
//! [`Search`] decides at each step which continuations of a prompt to follow. The strategies of
//! [`GenerationConfig`](crate::GenerationConfig) are built in; run others with
//! [`Generation::with_searches`](crate::Generation::with_searches).

mod beam;
mod constrained_beam;
mod contrastive;
mod diverse_beam;
mod draft;
mod finished;
mod forced;
mod greedy;
mod sample;
mod step;
mod strategy;

pub use draft::Draft;
pub use step::Step;

pub use crate::numeric::Continuation;

pub(crate) use constrained_beam::required_phrases;
pub(crate) use forced::ForcedSearch;
pub(crate) use strategy::strategy;

use crate::Hypothesis;

/// A search for continuations of one prompt.
pub trait Search: Send {
    /// The running hypotheses, one per row; at the start one, the prompt. The search alone decides
    /// what their scores mean while it runs.
    fn rows(&self) -> &[Hypothesis];

    /// Whether processors and the search get log-probabilities, rather than the model's logits.
    fn processes_log_probs(&self) -> bool;

    /// Whether the search needs the model's [hidden states](Step::hidden_state).
    fn needs_hidden_states(&self) -> bool {
        false
    }

    /// Whether the search runs the [processors](Step::process) itself, for example because it changes
    /// scores first. Otherwise they have been run before [`advance`](Self::advance).
    fn runs_processors(&self) -> bool {
        false
    }

    /// Continues the rows by one token.
    ///
    /// Afterwards [`rows`](Self::rows) are the new rows, each of which ends with its new token.
    /// Returns their parents: for each new row the index of the old row that it continues. Returns
    /// nothing when the search is over.
    fn advance(&mut self, step: Step<'_>) -> Vec<usize>;

    /// The texts so far, for observers: one draft per text, or for beams one for the best. By default
    /// there are none.
    fn drafts(&self) -> Vec<Draft<'_>> {
        Vec::new()
    }

    /// The hypotheses found, best first; none if no continuation was possible. If the search is cut
    /// short, its running texts count as if they ended there.
    fn finish(self: Box<Self>) -> Vec<Hypothesis>;
}

/// The [score](Hypothesis::score) of a hypothesis: the sum of its log-probabilities, divided by the
/// number of generated tokens to the power of the length penalty.
pub fn normalised(sum: f32, generated: usize, length_penalty: f64) -> f32 {
    sum / (generated as f64).powf(length_penalty) as f32
}
