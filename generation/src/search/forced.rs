use crate::numeric::log_sum_exp;
use crate::{Hypothesis, Search, StoppingCriterion};

/// Writes a text that is given, to learn how likely it is.
///
/// Stopping criteria are not asked: the text ends where it ends.
#[derive(Clone, Debug)]
pub struct ForcedSearch {
    row: Hypothesis,
    text: Vec<u32>,
}

impl ForcedSearch {
    /// Continues `prompt` with `text`.
    pub fn new(prompt: Vec<u32>, text: Vec<u32>) -> Self {
        Self {
            row: Hypothesis::of_prompt(prompt),
            text,
        }
    }
}

impl Search for ForcedSearch {
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
        _stopping: &[Box<dyn StoppingCriterion>],
    ) -> Vec<usize> {
        let next = self.text.get(self.row.token_log_probs.len());
        let score = next.and_then(|token| scores.get(*token as usize));
        let (Some(token), Some(score)) = (next, score) else {
            return Vec::new();
        };
        // Without a possible token at all, this one is impossible too.
        let log_prob = log_sum_exp(scores).map_or(f32::NEG_INFINITY, |sum| score - sum);
        let sum = self.row.score + log_prob;
        self.row = self.row.extended(*token, log_prob, sum);
        if self.row.token_log_probs.len() < self.text.len() {
            vec![0]
        } else {
            Vec::new()
        }
    }

    fn finish(self: Box<Self>) -> Vec<Hypothesis> {
        vec![self.row]
    }
}
