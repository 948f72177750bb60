use generation::search::{Draft, Step, normalised};
use generation::{Hypothesis, Prompt, Search};

/// A custom strategy: it branches into the most likely first words and continues each greedily. Beams tend
/// to be variants of one caption. These captions begin differently, so they are about different things.
///
/// Reference: Wang and Zhou, "Chain-of-Thought Reasoning without Prompting", 2024, whose decoding branches
/// at the first token too.
pub struct FirstTokens {
    branches: usize,
    running: Vec<Hypothesis>,
    complete: Vec<Hypothesis>,
}

impl FirstTokens {
    /// Continues a prompt with `branches` different first words.
    pub fn new(branches: usize, prompt: &Prompt) -> Self {
        Self {
            branches,
            running: vec![Hypothesis::of_prompt(prompt.tokens.clone())],
            complete: Vec::new(),
        }
    }
}

impl Search for FirstTokens {
    fn rows(&self) -> &[Hypothesis] {
        &self.running
    }

    fn processes_log_probs(&self) -> bool {
        true
    }

    fn advance(&mut self, step: Step<'_>) -> Vec<usize> {
        // The first token is the language code, which is forced, so the search branches at the second.
        let is_branching = self.running.len() == 1 && self.complete.is_empty();
        let count = if is_branching { self.branches } else { 1 };
        let mut parents = Vec::new();
        let mut running = Vec::new();
        for (number, row) in self.running.iter().enumerate() {
            for mut next in step.best_tokens(number, count) {
                let generated = row.token_log_probs.len() + 1;
                next.score = normalised(row.sum() + next.log_prob, generated, 1.0);
                let longer = step.extended(row, &next);
                if step.is_complete(&longer) {
                    self.complete.push(longer);
                } else {
                    running.push(longer);
                    parents.push(number);
                }
            }
        }
        self.running = running;
        parents
    }

    fn drafts(&self) -> Vec<Draft<'_>> {
        let texts = self.complete.iter().chain(&self.running);
        let settled = |(sequence, text)| Draft::settled(sequence, text);
        texts.enumerate().map(settled).collect()
    }

    fn finish(mut self: Box<Self>) -> Vec<Hypothesis> {
        self.complete.append(&mut self.running);
        self.complete.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.complete
    }
}
