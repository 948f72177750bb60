use super::{Search, Step};
use crate::{GenerationConfig, Hypothesis, Prompt};

/// Generates a given text, to find its log-probabilities. Stopping criteria have no effect.
#[derive(Clone, Debug)]
pub(crate) struct ForcedSearch {
    row: Hypothesis,
    text: Vec<u32>,
    length_penalty: f64,
}

impl ForcedSearch {
    /// Continues a prompt with `text`.
    pub(crate) fn new(config: &GenerationConfig, prompt: &Prompt, text: Vec<u32>) -> Self {
        Self {
            row: Hypothesis::of_prompt(prompt.tokens.clone()),
            text,
            length_penalty: config.length_penalty,
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

    fn advance(&mut self, step: Step<'_>) -> Vec<usize> {
        let position = self.row.token_log_probs.len();
        let Some(token) = self.text.get(position).copied() else {
            return Vec::new();
        };
        let written = step.extended_by_logits(&self.row, 0, token, self.length_penalty);
        // If no token is possible, this one is not either.
        let impossible = || {
            self.row
                .extended(token, f32::NEG_INFINITY, f32::NEG_INFINITY)
        };
        self.row = written.unwrap_or_else(impossible);
        match position + 1 < self.text.len() {
            true => vec![0],
            false => Vec::new(),
        }
    }

    fn finish(self: Box<Self>) -> Vec<Hypothesis> {
        vec![self.row]
    }
}
