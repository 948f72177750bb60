use super::forbid_below_rank;
use crate::LogitsProcessor;
use crate::numeric::{LargestFirst, Normaliser, possible};

/// Number of tokens that are considered, as in Hugging Face.
const CONSIDERED: usize = 100;

/// Keeps the most likely tokens that together have a given share of the distribution's entropy, both
/// computed on its 100 most likely tokens.
///
/// Hugging Face: `TopHLogitsWarper`. Reference: Potraghloo et al., "Top-H Decoding: Adapting the
/// Creativity and Coherence with Bounded Entropy in Text Generation", 2025.
#[derive(Clone, Debug)]
pub(super) struct TopH {
    share: f64,
}

impl TopH {
    /// `share` is above 0, up to 1.
    pub(super) fn new(share: f64) -> Self {
        Self { share }
    }
}

impl LogitsProcessor for TopH {
    fn process(&self, _tokens: &[u32], scores: &mut [f32]) {
        let mut order = LargestFirst::new(possible(scores));
        let most: Vec<f32> = (0..CONSIDERED)
            .map_while(|rank| order.get(rank))
            .map(|(score, _)| score)
            .collect();
        let Some(normaliser) = Normaliser::of(&most) else {
            return;
        };
        let entropy = |score: &f32| normaliser.entropy_of(*score);
        let limit = most.iter().map(entropy).sum::<f64>() * self.share;
        let mut sum = 0.0;
        let kept = most
            .iter()
            .take_while(|score| {
                sum += entropy(score);
                sum <= limit
            })
            .count();
        forbid_below_rank(kept.max(1), order, scores);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_distribution_keeps_its_share_and_a_sharp_one_its_best() {
        let left = |mut scores: Vec<f32>, share| {
            TopH::new(share).process(&[], &mut scores);
            scores.iter().filter(|score| score.is_finite()).count()
        };
        assert_eq!(left(vec![0.5; 10], 0.55), 5);
        assert_eq!(left(vec![0.5; 1000], 0.555), 55);
        assert_eq!(left(vec![0.0, 30.0, 0.0], 0.4), 1);
    }
}
