use super::forbid_below_rank;
use crate::LogitsProcessor;
use crate::numeric::{LargestFirst, Normaliser, possible};

/// Keeps the most likely tokens until their probabilities sum to `p`: nucleus sampling.
///
/// Hugging Face: `TopPLogitsWarper`. Reference: Holtzman et al., "The Curious Case of Neural Text
/// Degeneration", 2019.
#[derive(Clone, Debug)]
pub(super) struct TopP {
    p: f64,
    min_tokens_to_keep: usize,
}

impl TopP {
    /// `p` is from 0 to 1. At least `min_tokens_to_keep` tokens are kept.
    pub(super) fn new(p: f64, min_tokens_to_keep: usize) -> Self {
        Self {
            p,
            min_tokens_to_keep: min_tokens_to_keep.max(1),
        }
    }
}

impl LogitsProcessor for TopP {
    fn process(&self, _tokens: &[u32], scores: &mut [f32]) {
        let Some(normaliser) = Normaliser::of(scores) else {
            return;
        };
        let mut order = LargestFirst::new(possible(scores));
        let mut kept = 0;
        let mut sum = 0.0;
        while let Some((score, _)) = order.get(kept) {
            if sum >= self.p && kept >= self.min_tokens_to_keep {
                break;
            }
            sum += normaliser.probability(score);
            kept += 1;
        }
        forbid_below_rank(kept, order, scores);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_likely_are_left_until_they_reach_the_sum() {
        let probabilities = [0.1_f32, 0.5, 0.15, 0.25];
        for (p, min_tokens_to_keep, left) in [
            (0.0, 1, &[1][..]),
            (0.4, 1, &[1]),
            (0.6, 1, &[1, 3]),
            (0.8, 1, &[1, 2, 3]),
            (1.0, 1, &[0, 1, 2, 3]),
            (0.1, 2, &[1, 3]),
            (0.1, 9, &[0, 1, 2, 3]),
        ] {
            let mut scores = probabilities.map(f32::ln);
            TopP::new(p, min_tokens_to_keep).process(&[], &mut scores);
            let found: Vec<usize> = (0..4).filter(|i| scores[*i].is_finite()).collect();
            assert_eq!(found, left, "{p}");
        }
    }
}
