use std::sync::Arc;

use generation::{LogitsProcessor, Vocabulary};

/// A processor of one's own: makes long words less likely, by the letters that each token adds.
pub struct ShortWords {
    /// What each token loses.
    losses: Vec<f32>,
}

impl ShortWords {
    /// Each letter costs so much log-probability.
    pub fn new(cost: f32, vocabulary: &Arc<Vocabulary>) -> Self {
        let letters = |text: Option<&str>| text.map_or(0, |text| text.trim().chars().count());
        Self {
            losses: vocabulary
                .texts()
                .map(|text| letters(text) as f32 * cost)
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
