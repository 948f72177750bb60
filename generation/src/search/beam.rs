use super::{best_continuations, normalised};
use crate::{EarlyStopping, GenerationConfig, Hypothesis, Search, StoppingCriterion};

/// Pursues the `num_beams` most likely hypotheses at once and returns the best that end.
///
/// The semantics are those of transformers 5 (`GenerationMixin._beam_search`). One thing is done
/// differently, with the same result: there, `num_beams` equal rows start, all but one with a score
/// of -10⁹, here one row starts and becomes several when it has several continuations. Steps whose
/// outcome is forced then cost one row. Where fewer than `num_return_sequences` texts are possible,
/// such as when the only token is forced, fewer are returned; there, repeats with scores of -10⁹.
#[derive(Clone, Debug)]
pub struct BeamSearch {
    num_beams: usize,
    num_return_sequences: usize,
    length_penalty: f64,
    early_stopping: EarlyStopping,
    /// Continuations to look at: enough that `num_beams` are left if all others end.
    candidates: usize,
    /// Most tokens that can be generated.
    longest_generated: usize,
    /// Best first; the score is the sum of the log-probabilities.
    running: Vec<Hypothesis>,
    /// Best first, at most `num_beams`; the score is normalised.
    finished: Vec<Hypothesis>,
}

impl BeamSearch {
    /// Continues `prompt`.
    pub fn new(config: &GenerationConfig, prompt: Vec<u32>) -> Self {
        let longest = config.longest(prompt.len());
        Self {
            num_beams: config.num_beams,
            num_return_sequences: config.num_return_sequences,
            length_penalty: config.length_penalty,
            early_stopping: config.early_stopping,
            candidates: config.num_beams * (1 + config.eos_token_id.len()).max(2),
            longest_generated: longest.saturating_sub(prompt.len()),
            running: vec![Hypothesis::of_prompt(prompt)],
            finished: Vec::new(),
        }
    }

    /// Takes a complete hypothesis in, if it is among the best.
    fn keep_finished(&mut self, mut hypothesis: Hypothesis) {
        let generated = hypothesis.token_log_probs.len();
        hypothesis.score = normalised(hypothesis.score, generated, self.length_penalty);
        let place = self
            .finished
            .partition_point(|other| other.score >= hypothesis.score);
        self.finished.insert(place, hypothesis);
        self.finished.truncate(self.num_beams);
    }

    fn is_full(&self) -> bool {
        self.finished.len() == self.num_beams
    }

    /// Whether a running hypothesis may still displace a finished one.
    fn can_improve(&self) -> bool {
        let (Some(best), Some(worst)) = (self.running.first(), self.finished.last()) else {
            return !self.running.is_empty();
        };
        if !self.is_full() {
            return true;
        }
        let length = match self.early_stopping {
            EarlyStopping::FirstFinished => return false,
            EarlyStopping::Never if self.length_penalty > 0.0 => self.longest_generated,
            EarlyStopping::Never | EarlyStopping::Heuristic => best.token_log_probs.len(),
        };
        normalised(best.score, length, self.length_penalty) > worst.score
    }
}

impl Search for BeamSearch {
    fn rows(&self) -> &[Hypothesis] {
        &self.running
    }

    fn processes_log_probs(&self) -> bool {
        true
    }

    fn advance(
        &mut self,
        scores: &[f32],
        vocab_size: usize,
        stopping: &[Box<dyn StoppingCriterion>],
    ) -> Vec<usize> {
        let best = best_continuations(&self.running, scores, vocab_size, self.candidates);
        let mut parents = Vec::with_capacity(self.num_beams);
        let mut running = Vec::with_capacity(self.num_beams);
        for (place, candidate) in best.iter().enumerate() {
            let parent = &self.running[candidate.row];
            let hypothesis = parent.extended(candidate.token, candidate.log_prob, candidate.score);
            if stopping.iter().any(|s| s.is_complete(&hypothesis.tokens)) {
                // The rest are there to go on with, should the first ones end.
                if place < self.num_beams {
                    self.keep_finished(hypothesis);
                }
            } else if running.len() < self.num_beams {
                running.push(hypothesis);
                parents.push(candidate.row);
            }
        }
        self.running = running;
        if self.can_improve() {
            parents
        } else {
            Vec::new()
        }
    }

    fn finish(self: Box<Self>) -> Vec<Hypothesis> {
        let mut best = self.finished;
        best.truncate(self.num_return_sequences);
        best
    }
}
