use std::sync::Arc;

use generation::{LogitsProcessor, Vocabulary};

/// A custom processor that makes long words less likely: each token loses some log-probability for each
/// character of its text.
pub struct ShortWords {
    /// What each token loses, by token id.
    losses: Vec<f32>,
}

impl ShortWords {
    /// Each character costs `cost` of log-probability.
    pub fn new(cost: f32, vocabulary: &Arc<Vocabulary>) -> Self {
        let characters = |text: Option<&str>| text.map_or(0, |text| text.trim().chars().count());
        Self {
            losses: vocabulary
                .texts()
                .map(|text| characters(text) as f32 * cost)
                .collect(),
        }
    }
}

impl LogitsProcessor for ShortWords {
    fn process(&self, _tokens: &[u32], scores: &mut [f32]) {
        for (score, loss) in scores.iter_mut().zip(&self.losses) {
            *score -= loss;
        }
    }
}
