use super::forbid_below;
use crate::LogitsProcessor;
use crate::numeric::kth_largest;

/// Keeps tokens that are at least `p` times as likely as the most likely one.
///
/// Hugging Face: `MinPLogitsWarper`. Reference: Nguyen et al., "Turning Up the Heat: Min-p Sampling
/// for Creative and Coherent LLM Outputs", 2024.
#[derive(Clone, Debug)]
pub(super) struct MinP {
    p: f64,
    min_tokens_to_keep: usize,
}

impl MinP {
    /// `p` is from 0 to 1. At least `min_tokens_to_keep` tokens are kept.
    pub(super) fn new(p: f64, min_tokens_to_keep: usize) -> Self {
        Self {
            p,
            min_tokens_to_keep,
        }
    }
}

impl LogitsProcessor for MinP {
    fn process(&self, _tokens: &[u32], scores: &mut [f32]) {
        // A ratio of probabilities is a difference of scores.
        let least = kth_largest(scores, 1) + self.p.ln() as f32;
        let kept = kth_largest(scores, self.min_tokens_to_keep.max(1));
        forbid_below(least.min(kept), scores);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_measured_by_the_most_likely() {
        for (p, min_tokens_to_keep, left) in [
            (0.0, 1, &[0, 1, 2, 3][..]),
            (0.29, 1, &[1, 2, 3]),
            (0.31, 1, &[1, 3]),
            (1.0, 1, &[1]),
            (1.0, 3, &[1, 2, 3]),
        ] {
            let mut scores = [0.1_f32, 0.5, 0.15, 0.25].map(f32::ln);
            MinP::new(p, min_tokens_to_keep).process(&[], &mut scores);
            let found: Vec<usize> = (0..4).filter(|i| scores[*i].is_finite()).collect();
            assert_eq!(found, left, "{p}");
        }
    }
}
