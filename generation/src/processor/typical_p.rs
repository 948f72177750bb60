use std::collections::HashSet;

use crate::LogitsProcessor;
use crate::numeric::{LargestFirst, Normaliser, possible};

/// Keeps the tokens whose information is nearest to the entropy, until their probabilities sum to a
/// given mass.
///
/// Hugging Face: `TypicalLogitsWarper`. Reference: Meister et al., "Locally Typical Sampling", 2022.
#[derive(Clone, Debug)]
pub(super) struct TypicalP {
    mass: f64,
    min_tokens_to_keep: usize,
}

impl TypicalP {
    /// `mass` is above 0, up to 1. At least `min_tokens_to_keep` tokens are kept.
    pub(super) fn new(mass: f64, min_tokens_to_keep: usize) -> Self {
        Self {
            mass,
            min_tokens_to_keep: min_tokens_to_keep.max(1),
        }
    }
}

impl LogitsProcessor for TypicalP {
    fn process(&self, _tokens: &[u32], scores: &mut [f32]) {
        let Some(normaliser) = Normaliser::of(scores) else {
            return;
        };
        let entropy: f64 = possible(scores)
            .map(|(score, _)| normaliser.entropy_of(score))
            .sum();
        let entropy = entropy as f32;
        let distance = |score| (-normaliser.log_prob(score) - entropy).abs();
        let keys = possible(scores).map(|(score, token)| (-distance(score), token));
        let mut order = LargestFirst::new(keys);

        let mut sum = 0.0;
        let mut rank = 0;
        let mut farthest = f32::INFINITY;
        // The token that reaches the mass is kept, and so are those that are as near.
        while let Some((nearness, token)) = order.get(rank) {
            sum += normaliser.probability(scores[token as usize]);
            rank += 1;
            farthest = -nearness;
            if sum >= self.mass {
                break;
            }
        }
        let kept: HashSet<u32> = (0..self.min_tokens_to_keep)
            .map_while(|rank| order.get(rank))
            .map(|(_, token)| token)
            .collect();
        for (score, token) in scores.iter_mut().zip(0..) {
            if distance(*score) > farthest && !kept.contains(&token) {
                *score = f32::NEG_INFINITY;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(mass: f64, min_tokens_to_keep: usize) -> Vec<usize> {
        // The entropy is 1.09; the tokens' information is 0.51, 1.61, 2.30 and 2.30.
        let mut scores = [0.6_f32, 0.2, 0.1, 0.1].map(f32::ln);
        TypicalP::new(mass, min_tokens_to_keep).process(&[], &mut scores);
        (0..4).filter(|i| scores[*i].is_finite()).collect()
    }

    #[test]
    fn the_most_likely_token_may_be_too_expected() {
        assert_eq!(left(0.1, 1), [1]);
        assert_eq!(left(0.3, 1), [0, 1]);
        assert_eq!(left(0.95, 1), [0, 1, 2, 3]);
        assert_eq!(left(0.1, 2), [0, 1]);
    }
}
