use super::normalised;
use crate::{EarlyStopping, GenerationConfig, Hypothesis};

/// The finished hypotheses of a beam search, and when they are enough.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    /// Best first; the score is normalised.
    list: Vec<Hypothesis>,
    /// Most of them that are kept.
    places: usize,
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
            places: config.finished_places(num_beams),
            length_penalty: config.length_penalty,
            early_stopping: config.early_stopping,
            longest_generated: longest.saturating_sub(prompt_length),
        }
    }

    /// Takes a complete hypothesis in, if it is among the best. Its score is the sum of its
    /// log-probabilities.
    pub(super) fn keep(&mut self, hypothesis: Hypothesis) {
        let hypothesis = self.scored(hypothesis);
        let place = self
            .list
            .partition_point(|other| other.score >= hypothesis.score);
        self.list.insert(place, hypothesis);
        self.list.truncate(self.places);
    }

    /// Whether a hypothesis of `generated` tokens whose log-probabilities sum to `best`, the highest
    /// sum of those that run, may still displace a finished one.
    pub(super) fn can_improve(&self, best: f32, generated: usize) -> bool {
        let Some(worst) = self.list.last().filter(|_| self.list.len() == self.places) else {
            return true;
        };
        let length = match self.early_stopping {
            EarlyStopping::FirstFinished => return false,
            EarlyStopping::Never if self.length_penalty > 0.0 => self.longest_generated,
            EarlyStopping::Never | EarlyStopping::Heuristic => generated,
        };
        normalised(best, length, self.length_penalty) > worst.score
    }

    /// The best one.
    pub(super) fn best(&self) -> Option<&Hypothesis> {
        self.list.first()
    }

    /// What a running hypothesis would score if it ended here.
    pub(super) fn score_of(&self, running: &Hypothesis) -> f32 {
        normalised(
            running.score,
            running.token_log_probs.len(),
            self.length_penalty,
        )
    }

    /// The best of them, and, if there are not enough, of those that still run.
    pub(super) fn into_best(mut self, running: Vec<Hypothesis>, count: usize) -> Vec<Hypothesis> {
        let missing = count.saturating_sub(self.list.len());
        // A prompt alone is no text.
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
