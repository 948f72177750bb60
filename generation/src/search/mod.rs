//! Which continuations to pursue.

mod beam;
mod forced;
mod greedy;

pub use beam::BeamSearch;
pub use forced::ForcedSearch;
pub use greedy::GreedySearch;

pub use crate::numeric::Continuation;

use crate::numeric::keep_best;
use crate::{GenerationConfig, Hypothesis, StoppingCriterion};

/// The search for the continuation of one prompt. Prompts of a batch are searched independently.
pub trait Search {
    /// The hypotheses that go on, one per row. At the start the prompt alone; while a search runs,
    /// their scores are its own affair.
    fn rows(&self) -> &[Hypothesis];

    /// What processors are to see: log-probabilities, or logits as the model returned them.
    fn processes_log_probs(&self) -> bool;

    /// Continues the rows. `scores` is `[rows, vocab_size]`, after the processors.
    ///
    /// Returns for each of the new [`rows`](Self::rows), which end with the token that was added,
    /// the old row that it continues; none when the search is over.
    fn advance(
        &mut self,
        scores: &[f32],
        vocab_size: usize,
        stopping: &[Box<dyn StoppingCriterion>],
    ) -> Vec<usize>;

    /// What was found, best first; nothing if no continuation was possible.
    fn finish(self: Box<Self>) -> Vec<Hypothesis>;
}

/// The `count` most likely continuations of rows by one token, best first. A continuation's score
/// is the row's and the token's together; among equal ones the earlier row and token comes first.
/// Impossible tokens, those of minus infinity, are left out.
///
/// `scores` is `[rows, vocab_size]`. The vocabulary is not sorted: each score is compared with the
/// worst that is kept.
pub fn best_continuations(
    rows: &[Hypothesis],
    scores: &[f32],
    vocab_size: usize,
    count: usize,
) -> Vec<Continuation> {
    let mut best = Vec::with_capacity(count + 1);
    for (row, (hypothesis, scores)) in rows.iter().zip(scores.chunks(vocab_size)).enumerate() {
        keep_best(&mut best, count, row, hypothesis.score, scores);
    }
    best
}

/// The strategy that a configuration asks for.
pub(crate) fn strategy(config: &GenerationConfig, prompt: Vec<u32>) -> Box<dyn Search> {
    match config.num_beams {
        1 => Box::new(GreedySearch::new(config, prompt)),
        _ => Box::new(BeamSearch::new(config, prompt)),
    }
}

/// A sum of log-probabilities, divided by the generated length to the power of the penalty.
fn normalised(sum: f32, generated: usize, length_penalty: f64) -> f32 {
    sum / (generated as f64).powf(length_penalty) as f32
}
