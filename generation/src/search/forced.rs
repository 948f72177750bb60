use super::{Search, Step};
use crate::{GenerationConfig, Hypothesis, Prompt};

/// Writes a text that is given, to learn how likely it is.
///
/// Stopping criteria are not asked: the text ends where it ends.
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
        let place = self.row.token_log_probs.len();
        let Some(token) = self.text.get(place).copied() else {
            return Vec::new();
        };
        let written = step.written(&self.row, 0, token, self.length_penalty);
        // Without a possible token at all, this one is impossible too.
        let impossible = || {
            self.row
                .extended(token, f32::NEG_INFINITY, f32::NEG_INFINITY)
        };
        self.row = written.unwrap_or_else(impossible);
        match place + 1 < self.text.len() {
            true => vec![0],
            false => Vec::new(),
        }
    }

    fn finish(self: Box<Self>) -> Vec<Hypothesis> {
        vec![self.row]
    }
}
