use super::{Continuation, Draft, Search, Step};
use crate::numeric::Normaliser;
use crate::{GenerationConfig, Hypothesis, Prompt};

/// Contrastive search: takes the best of the `top_k` most likely tokens by
/// (1 - α) · probability - α · similarity, where the similarity is the largest cosine between the
/// token's hidden state and those before it.
///
/// The candidates are the rows of the next step, which returns their hidden states. Of the prompt,
/// only the hidden state of the last token is known, so earlier tokens of a longer prompt do not
/// count.
///
/// Hugging Face: `_contrastive_search`. Reference: Su et al., "A Contrastive Framework for Neural
/// Text Generation", 2022.
#[derive(Clone, Debug)]
pub(super) struct ContrastiveSearch {
    alpha: f32,
    top_k: usize,
    length_penalty: f64,
    /// The text that is decided.
    text: Hypothesis,
    /// The text with one candidate each; at the start the prompt.
    rows: Vec<Hypothesis>,
    /// Probabilities of the candidates.
    probabilities: Vec<f32>,
    /// Hidden states of the text, each normalised to length 1.
    context: Vec<Vec<f32>>,
    stuck: bool,
}

impl ContrastiveSearch {
    /// Continues a prompt.
    pub(super) fn new(config: &GenerationConfig, prompt: &Prompt) -> Self {
        let text = Hypothesis::of_prompt(prompt.tokens.clone());
        Self {
            alpha: config.penalty_alpha.unwrap_or(0.0) as f32,
            top_k: config.top_k,
            length_penalty: config.usable_length_penalty(),
            rows: vec![text.clone()],
            text,
            probabilities: Vec::new(),
            context: Vec::new(),
            stuck: false,
        }
    }

    /// The row of the best candidate and its hidden state; at the start the prompt's.
    fn chosen(&self, step: &Step<'_>) -> (usize, Vec<f32>) {
        let states: Vec<Vec<f32>> = (0..step.rows())
            .map(|row| unit(step.hidden_state(row).unwrap_or_default()))
            .collect();
        let score = |row: usize| {
            let cosines = self.context.iter().map(|before| dot(before, &states[row]));
            let similarity = cosines.fold(f32::NEG_INFINITY, f32::max);
            let probability = self.probabilities.get(row).copied().unwrap_or(0.0);
            (1.0 - self.alpha) * probability - self.alpha * similarity
        };
        // Among equals the first, which is the most likely.
        let scores: Vec<f32> = (0..states.len()).map(score).collect();
        let best = (1..scores.len()).fold(0, |best, row| match scores[row] > scores[best] {
            true => row,
            false => best,
        });
        (best, states.into_iter().nth(best).unwrap_or_default())
    }

    /// Makes the most likely tokens after a row the new rows.
    fn propose(&mut self, row: usize, step: &mut Step<'_>) -> Vec<usize> {
        // Only the scores of the chosen candidate are needed.
        step.process(row, &self.text.tokens);
        let Some(normaliser) = Normaliser::of(step.scores(row)) else {
            self.stuck = true;
            return Vec::new();
        };
        let best: Vec<Continuation> = step.best_tokens(row, self.top_k);
        self.rows.clear();
        self.probabilities.clear();
        for next in &best {
            let (text, penalty) = (&self.text, self.length_penalty);
            let written = step.extended_with(&normaliser, text, row, next.token, penalty);
            self.rows.extend(written);
            let probability = normaliser.probability(next.log_prob) as f32;
            self.probabilities.push(probability);
        }
        self.stuck = self.rows.is_empty();
        vec![row; self.rows.len()]
    }
}

impl Search for ContrastiveSearch {
    fn rows(&self) -> &[Hypothesis] {
        &self.rows
    }

    fn processes_log_probs(&self) -> bool {
        false
    }

    fn needs_hidden_states(&self) -> bool {
        true
    }

    fn runs_processors(&self) -> bool {
        true
    }

    fn advance(&mut self, mut step: Step<'_>) -> Vec<usize> {
        let (row, state) = self.chosen(&step);
        self.text = self.rows[row].clone();
        self.context.push(state);
        let is_prompt = self.text.token_log_probs.is_empty();
        if !is_prompt && step.is_complete(&self.text) {
            return Vec::new();
        }
        self.propose(row, &mut step)
    }

    fn drafts(&self) -> Vec<Draft<'_>> {
        vec![Draft::settled(0, &self.text)]
    }

    fn finish(self: Box<Self>) -> Vec<Hypothesis> {
        match self.stuck || self.text.token_log_probs.is_empty() {
            true => Vec::new(),
            false => vec![self.text],
        }
    }
}

/// A vector normalised to length 1.
fn unit(vector: &[f32]) -> Vec<f32> {
    let length = dot(vector, vector).sqrt();
    vector.iter().map(|value| value / length).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
