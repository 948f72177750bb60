use super::normalised;
use crate::numeric::{keep_best, log_sum_exp};
use crate::{GenerationConfig, Hypothesis, Search, StoppingCriterion};

/// Takes the most likely token at every step.
///
/// Hugging Face: `generate` with `num_beams=1, do_sample=False`.
#[derive(Clone, Debug)]
pub struct GreedySearch {
    row: Hypothesis,
    /// Sum of the log-probabilities.
    sum: f32,
    length_penalty: f64,
    stuck: bool,
}

impl GreedySearch {
    /// Continues `prompt`.
    pub fn new(config: &GenerationConfig, prompt: Vec<u32>) -> Self {
        Self {
            row: Hypothesis::of_prompt(prompt),
            sum: 0.0,
            length_penalty: config.length_penalty,
            stuck: false,
        }
    }
}

impl Search for GreedySearch {
    fn rows(&self) -> &[Hypothesis] {
        std::slice::from_ref(&self.row)
    }

    fn processes_log_probs(&self) -> bool {
        false
    }

    fn advance(
        &mut self,
        scores: &[f32],
        _vocab_size: usize,
        stopping: &[Box<dyn StoppingCriterion>],
    ) -> Vec<usize> {
        let mut best = Vec::with_capacity(1);
        keep_best(&mut best, 1, 0, 0.0, scores);
        let (Some(best), Some(normaliser)) = (best.first(), log_sum_exp(scores)) else {
            self.stuck = true;
            return Vec::new();
        };
        let log_prob = best.log_prob - normaliser;
        self.sum += log_prob;
        let generated = self.row.token_log_probs.len() + 1;
        let score = normalised(self.sum, generated, self.length_penalty);
        self.row = self.row.extended(best.token, log_prob, score);
        let complete = stopping.iter().any(|s| s.is_complete(&self.row.tokens));
        if complete { Vec::new() } else { vec![0] }
    }

    fn finish(self: Box<Self>) -> Vec<Hypothesis> {
        if self.stuck {
            Vec::new()
        } else {
            vec![self.row]
        }
    }
}
