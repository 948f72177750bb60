//! Which continuations to pursue.

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

/// The search for the continuation of one prompt. Prompts of a batch are searched independently.
pub trait Search: Send {
    /// The hypotheses that go on, one per row. At the start the prompt alone; while a search runs,
    /// their scores are its own affair.
    fn rows(&self) -> &[Hypothesis];

    /// What processors are to see: log-probabilities, or logits as the model returned them.
    fn processes_log_probs(&self) -> bool;

    /// Whether a [step](Step::hidden_state) has to have the model's hidden states.
    fn needs_hidden_states(&self) -> bool {
        false
    }

    /// Whether the search runs the [processors](Step::process) itself, because it changes scores
    /// before them. If not, they have been run when [`advance`](Self::advance) is called.
    fn runs_processors(&self) -> bool {
        false
    }

    /// Continues the rows.
    ///
    /// Returns for each of the new [`rows`](Self::rows), which end with the token that was added,
    /// the old row that it continues; none when the search is over.
    fn advance(&mut self, step: Step<'_>) -> Vec<usize>;

    /// What there is to show while the search runs: a draft for each text that is drawn or written,
    /// and of beams for the best; nothing by default.
    fn drafts(&self) -> Vec<Draft<'_>> {
        Vec::new()
    }

    /// What was found, best first; nothing if no continuation was possible. May be asked before the
    /// search is over: then what there is counts, as if it ended there.
    fn finish(self: Box<Self>) -> Vec<Hypothesis>;
}

/// A sum of log-probabilities, divided by the generated length to the power of the penalty:
/// [`Hypothesis::score`].
pub fn normalised(sum: f32, generated: usize, length_penalty: f64) -> f32 {
    sum / (generated as f64).powf(length_penalty) as f32
}
