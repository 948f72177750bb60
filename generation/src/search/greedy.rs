use super::{Draft, Search, Step};
use crate::{GenerationConfig, Hypothesis, Prompt};

/// Greedy search: takes the most likely token at every step.
///
/// Hugging Face: `generate` with `num_beams=1, do_sample=False`.
#[derive(Clone, Debug)]
pub(super) struct GreedySearch {
    row: Hypothesis,
    length_penalty: f64,
    stuck: bool,
}

impl GreedySearch {
    /// Continues a prompt.
    pub(super) fn new(config: &GenerationConfig, prompt: &Prompt) -> Self {
        Self {
            row: Hypothesis::of_prompt(prompt.tokens.clone()),
            length_penalty: config.usable_length_penalty(),
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

    fn advance(&mut self, step: Step<'_>) -> Vec<usize> {
        let best = step.best_tokens(0, 1);
        let written = |token| step.extended_by_logits(&self.row, 0, token, self.length_penalty);
        let Some(longer) = best.first().and_then(|best| written(best.token)) else {
            self.stuck = true;
            return Vec::new();
        };
        self.row = longer;
        match step.is_complete(&self.row) {
            true => Vec::new(),
            false => vec![0],
        }
    }

    fn drafts(&self) -> Vec<Draft<'_>> {
        vec![Draft::settled(0, &self.row)]
    }

    fn finish(self: Box<Self>) -> Vec<Hypothesis> {
        match self.stuck || self.row.token_log_probs.is_empty() {
            true => Vec::new(),
            false => vec![self.row],
        }
    }
}
