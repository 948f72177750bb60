use super::forbid_below;
use crate::LogitsProcessor;
use crate::numeric::{Normaliser, kth_largest};

/// Keeps tokens of at least a given probability.
///
/// Hugging Face: `EpsilonLogitsWarper`. Reference: Hewitt et al., "Truncation Sampling as Language
/// Model Desmoothing", 2022.
#[derive(Clone, Debug)]
pub(super) struct EpsilonCutoff {
    epsilon: f64,
    min_tokens_to_keep: usize,
}

impl EpsilonCutoff {
    /// `epsilon` is between 0 and 1. At least `min_tokens_to_keep` tokens are kept.
    pub(super) fn new(epsilon: f64, min_tokens_to_keep: usize) -> Self {
        Self {
            epsilon,
            min_tokens_to_keep,
        }
    }
}

impl LogitsProcessor for EpsilonCutoff {
    fn process(&self, _tokens: &[u32], scores: &mut [f32]) {
        if let Some(normaliser) = Normaliser::of(scores) {
            let kept = kth_largest(scores, self.min_tokens_to_keep.max(1));
            let least = normaliser.score_of(self.epsilon);
            forbid_below(least.min(kept), scores);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlikely_tokens_are_cut_off() {
        for (epsilon, min_tokens_to_keep, left) in [
            (0.05, 1, &[0, 1, 2, 3][..]),
            (0.12, 1, &[1, 2, 3]),
            (0.9, 1, &[1]),
            (0.9, 2, &[1, 3]),
        ] {
            let mut scores = [0.1_f32, 0.5, 0.15, 0.25].map(f32::ln);
            EpsilonCutoff::new(epsilon, min_tokens_to_keep).process(&[], &mut scores);
            let found: Vec<usize> = (0..4).filter(|i| scores[*i].is_finite()).collect();
            assert_eq!(found, left, "{epsilon}");
        }
    }
}
