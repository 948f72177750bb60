use super::forbid_below;
use crate::LogitsProcessor;
use crate::numeric::kth_largest;

/// Keeps the `k` most likely tokens, and those that are as likely as the last of them.
///
/// Hugging Face: `TopKLogitsWarper`. Reference: Fan et al., "Hierarchical Neural Story Generation",
/// 2018.
#[derive(Clone, Debug)]
pub(super) struct TopK {
    k: usize,
}

impl TopK {
    /// Keeps `k` tokens, or one if `k` is 0.
    pub(super) fn new(k: usize) -> Self {
        Self { k: k.max(1) }
    }
}

impl LogitsProcessor for TopK {
    fn process(&self, _tokens: &[u32], scores: &mut [f32]) {
        let worst = kth_largest(scores, self.k);
        forbid_below(worst, scores);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_likely_are_left_with_all_that_are_equal() {
        let forbidden = f32::NEG_INFINITY;
        for (k, expected) in [
            (1, [forbidden, 3.0, forbidden, forbidden]),
            (2, [2.0, 3.0, forbidden, 2.0]),
            (3, [2.0, 3.0, forbidden, 2.0]),
            (9, [2.0, 3.0, 1.0, 2.0]),
        ] {
            let mut scores = [2.0, 3.0, 1.0, 2.0];
            TopK::new(k).process(&[], &mut scores);
            assert_eq!(scores, expected, "{k}");
        }
    }
}
