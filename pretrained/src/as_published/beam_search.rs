use std::sync::{Arc, Mutex};

use generation::search::Step;
use generation::{EarlyStopping, GenerationConfig, Hypothesis, Prompt, Search};

use super::batch::{Batch, lock};

/// What is added to the score of a text that ends, and the score of an empty entry in the list of ended
/// texts.
const PENALTY: f32 = -1.0e7;

/// The original's beam search for one image.
///
/// Ties are common (see the [module](super)). Therefore everything is computed in `f32` and in the order of
/// the original code, and of equal scores the earlier comes first, as in `lax.top_k`.
pub(super) struct BeamSearch {
    num_beams: usize,
    length_penalty: f64,
    early_stopping: bool,
    max_length: usize,
    end: u32,
    /// The worst first. The score is the sum of the log-probabilities.
    running: Vec<Hypothesis>,
    /// The worst first, at most `num_beams`. The score is divided by the power of the length.
    ended: Vec<Hypothesis>,
    batch: Arc<Mutex<Batch>>,
    is_finished: bool,
}

/// A running text with one more token. The score is the sum of the log-probabilities, plus [`PENALTY`] if
/// the text has ended.
struct Candidate {
    text: Hypothesis,
    parent: usize,
    has_ended: bool,
}

impl BeamSearch {
    pub(super) fn new(
        config: &GenerationConfig,
        prompt: &Prompt,
        end: u32,
        batch: Arc<Mutex<Batch>>,
    ) -> Self {
        Self {
            num_beams: config.num_beams,
            length_penalty: config.length_penalty,
            early_stopping: config.early_stopping == EarlyStopping::FirstFinished,
            max_length: config.longest(prompt.tokens.len()),
            end,
            running: vec![Hypothesis::of_prompt(prompt.tokens.clone())],
            ended: Vec::new(),
            batch,
            is_finished: false,
        }
    }

    /// The candidates, best first: twice as many as beams, so that enough remain if half of them end.
    fn candidates(&self, rows: &[Hypothesis], step: &Step<'_>) -> Vec<Candidate> {
        step.best_continuations(rows, 2 * self.num_beams)
            .into_iter()
            .map(|mut next| {
                let has_ended = next.token == self.end;
                next.score += if has_ended { PENALTY } else { 0.0 };
                Candidate {
                    text: step.extended(&rows[next.row], &next),
                    parent: next.row,
                    has_ended,
                }
            })
            .collect()
    }

    /// The candidates of the first step. The original code begins with equal rows, and adds [`PENALTY`] to
    /// all but the first.
    fn first_candidates(&self, step: &Step<'_>) -> Vec<Candidate> {
        let mut rows = vec![self.running[0].clone(); self.num_beams];
        rows[1..].iter_mut().for_each(|row| row.score = PENALTY);
        let mut scores = step.scores(0).repeat(self.num_beams);
        let repeated = Step::new(&mut scores, step.vocab_size());
        let mut candidates = self.candidates(&rows, &repeated);
        candidates.iter_mut().for_each(|next| next.parent = 0);
        candidates
    }

    /// Adds the candidates that have ended to the list, if they are better than its entries and the list is
    /// not closed. `length` is the length of a text without its end token.
    fn add_ended(&mut self, candidates: Vec<Candidate>, length: usize) {
        let is_closed = self.is_closed();
        let divisor = (length as f64).powf(f64::from(self.length_penalty as f32)) as f32;
        for mut candidate in candidates {
            candidate.text.score /= divisor;
            if candidate.has_ended && candidate.text.score > PENALTY && !is_closed {
                self.ended.push(candidate.text);
            }
        }
        // This reverses the order of ties, even in a closed list.
        keep_best(&mut self.ended, self.num_beams, |text| text.score);
    }

    /// Whether no text is added to the list any more.
    fn is_closed(&self) -> bool {
        self.early_stopping && self.ended.len() == self.num_beams
    }

    /// Whether the best running text, if it had the maximal length, is better than the worst entry of the
    /// list.
    fn can_improve(&self) -> bool {
        let worst = match self.ended.as_slice() {
            [worst, ..] if self.ended.len() == self.num_beams => worst.score,
            _ => PENALTY,
        };
        let divisor = (self.max_length as f64).powf(self.length_penalty) as f32;
        let best = self.running.last();
        best.is_some_and(|best| worst < best.score / divisor)
    }
}

impl Drop for BeamSearch {
    /// Searches that are finished end together. A search that is dropped before has failed: it leaves the
    /// batch, so that the others don't wait for it.
    fn drop(&mut self) {
        if !self.is_finished {
            lock(&self.batch).leave();
        }
    }
}

impl Search for BeamSearch {
    fn rows(&self) -> &[Hypothesis] {
        &self.running
    }

    fn processes_log_probs(&self) -> bool {
        true
    }

    fn advance(&mut self, step: Step<'_>) -> Vec<usize> {
        let length = self.running[0].tokens.len();
        if lock(&self.batch).is_over {
            return Vec::new();
        }
        let candidates = match self.running.len() {
            1 => self.first_candidates(&step),
            _ => self.candidates(&self.running, &step),
        };
        let mut best: Vec<&Candidate> = candidates.iter().collect();
        keep_best(&mut best, self.num_beams, |next| next.text.score);
        let parents = best.iter().map(|next| next.parent).collect();
        self.running = best.iter().map(|next| next.text.clone()).collect();
        self.add_ended(candidates, length);

        let mut batch = lock(&self.batch);
        batch.report(self.is_closed(), self.can_improve());
        if batch.is_over || length + 1 == self.max_length {
            return Vec::new();
        }
        parents
    }

    fn finish(mut self: Box<Self>) -> Vec<Hypothesis> {
        self.is_finished = true;
        let best = self.ended.pop().or_else(|| self.running.pop());
        best.into_iter().collect()
    }
}

/// Keeps the items with the highest scores, and sorts them from worst to best. Of equal items the earlier
/// are kept, and they are the last in the result.
fn keep_best<T>(items: &mut Vec<T>, count: usize, score: impl Fn(&T) -> f32) {
    items.sort_by(|a, b| score(b).total_cmp(&score(a))); // stable
    items.truncate(count);
    items.reverse();
}
