/// A text that a search returns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hypothesis {
    /// All tokens: prompt, generated ones, and the end token if the text ended by itself.
    pub tokens: Vec<u32>,
    /// Log-probability of each generated token after the processors: `token_log_probs[i]` is that of
    /// `tokens[prompt_length + i]`. Beam search normalises logits before the processors and not
    /// again after them; other searches normalise after the processors. Both match the values of
    /// Hugging Face's `compute_transition_scores`.
    pub token_log_probs: Vec<f32>,
    /// The sum of the log-probabilities, divided by the number of generated tokens to the power of
    /// `length_penalty`: Hugging Face's `sequences_scores`.
    pub score: f32,
    /// The most likely tokens at the position of each generated one, most likely first, if
    /// [alternatives](crate::Generation::with_alternatives) are asked for. The generated token is
    /// among them if it is likely enough.
    pub alternatives: Vec<Vec<Alternative>>,
}

/// A token that could have been generated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alternative {
    /// The token.
    pub token: u32,
    /// Its log-probability, as in [`Hypothesis::token_log_probs`].
    pub log_prob: f32,
}

impl Hypothesis {
    /// A hypothesis without generated tokens: the row that a search begins with.
    pub fn of_prompt(tokens: Vec<u32>) -> Self {
        Self {
            tokens,
            ..Self::default()
        }
    }

    /// This hypothesis with one more token and the given score.
    pub fn extended(&self, token: u32, log_prob: f32, score: f32) -> Self {
        let mut longer = self.clone();
        longer.tokens.push(token);
        longer.token_log_probs.push(log_prob);
        longer.score = score;
        longer
    }

    /// The tokens after the prompt.
    pub fn generated_tokens(&self) -> &[u32] {
        &self.tokens[self.prompt_length()..]
    }

    /// Number of tokens of the prompt.
    pub fn prompt_length(&self) -> usize {
        self.tokens.len() - self.token_log_probs.len()
    }

    /// The sum of the log-probabilities.
    pub fn sum(&self) -> f32 {
        self.token_log_probs.iter().sum()
    }
}
