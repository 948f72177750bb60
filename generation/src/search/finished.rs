use super::normalised;
use crate::{EarlyStopping, GenerationConfig, Hypothesis};

/// The finished hypotheses of a beam search, which decide when it may stop.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    /// Best first; the score is normalised.
    list: Vec<Hypothesis>,
    /// Most hypotheses that are kept.
    capacity: usize,
    length_penalty: f64,
    early_stopping: EarlyStopping,
    /// Most tokens that can be generated.
    longest_generated: usize,
}

impl Finished {
    pub(super) fn new(config: &GenerationConfig, num_beams: usize, prompt_length: usize) -> Self {
        let longest = config.longest(prompt_length);
        Self {
            list: Vec::new(),
            capacity: config.finished_capacity(num_beams),
            length_penalty: config.length_penalty,
            early_stopping: config.early_stopping,
            longest_generated: longest.saturating_sub(prompt_length),
        }
    }

    /// Adds a complete hypothesis, whose score is the sum of its log-probabilities, if it is one of
    /// the best.
    pub(super) fn keep(&mut self, hypothesis: Hypothesis) {
        let hypothesis = self.scored(hypothesis);
        let position = self
            .list
            .partition_point(|other| other.score >= hypothesis.score);
        self.list.insert(position, hypothesis);
        self.list.truncate(self.capacity);
    }

    /// Whether a running hypothesis can still displace a finished one. The best running hypothesis
    /// has `generated` tokens, whose log-probabilities sum to `best`.
    pub(super) fn can_improve(&self, best: f32, generated: usize) -> bool {
        let Some(worst) = self
            .list
            .last()
            .filter(|_| self.list.len() == self.capacity)
        else {
            return true;
        };
        let length = match self.early_stopping {
            EarlyStopping::FirstFinished => return false,
            EarlyStopping::Never if self.length_penalty > 0.0 => self.longest_generated,
            EarlyStopping::Never | EarlyStopping::Heuristic => generated,
        };
        normalised(best, length, self.length_penalty) > worst.score
    }

    /// The best finished hypothesis.
    pub(super) fn best(&self) -> Option<&Hypothesis> {
        self.list.first()
    }

    /// The score of a running hypothesis if it ended now.
    pub(super) fn score_of(&self, running: &Hypothesis) -> f32 {
        normalised(
            running.score,
            running.token_log_probs.len(),
            self.length_penalty,
        )
    }

    /// The best `count` hypotheses, filled up with running ones if too few are finished.
    pub(super) fn into_best(mut self, running: Vec<Hypothesis>, count: usize) -> Vec<Hypothesis> {
        let missing = count.saturating_sub(self.list.len());
        // A prompt without a generated token is not a text.
        let running = running
            .into_iter()
            .filter(|row| !row.token_log_probs.is_empty());
        let mut unfinished: Vec<Hypothesis> = running.map(|row| self.scored(row)).collect();
        unfinished.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.list.extend(unfinished.into_iter().take(missing));
        self.list.sort_by(|a, b| b.score.total_cmp(&a.score)); // stable
        self.list.truncate(count);
        self.list
    }

    fn scored(&self, mut hypothesis: Hypothesis) -> Hypothesis {
        hypothesis.score = self.score_of(&hypothesis);
        hypothesis
    }
}
