use super::EpsilonCutoff;
use crate::LogitsProcessor;
use crate::numeric::{Normaliser, possible};

/// Keeps tokens of at least a probability that is lower where the distribution is flat:
/// min(ε, √ε · e^-entropy).
///
/// Hugging Face: `EtaLogitsWarper`. Reference: Hewitt et al., "Truncation Sampling as Language Model
/// Desmoothing", 2022.
#[derive(Clone, Debug)]
pub(super) struct EtaCutoff {
    epsilon: f64,
    min_tokens_to_keep: usize,
}

impl EtaCutoff {
    /// `epsilon` is between 0 and 1. At least `min_tokens_to_keep` tokens are kept.
    pub(super) fn new(epsilon: f64, min_tokens_to_keep: usize) -> Self {
        Self {
            epsilon,
            min_tokens_to_keep,
        }
    }
}

impl LogitsProcessor for EtaCutoff {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        let Some(normaliser) = Normaliser::of(scores) else {
            return;
        };
        let entropy: f64 = possible(scores)
            .map(|(score, _)| normaliser.entropy_of(score))
            .sum();
        let eta = self.epsilon.min(self.epsilon.sqrt() * (-entropy).exp());
        EpsilonCutoff::new(eta, self.min_tokens_to_keep).process(tokens, scores);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_distribution_loses_less_than_a_sharp_one() {
        let left = |probabilities: [f32; 4]| {
            let mut scores = probabilities.map(f32::ln);
            EtaCutoff::new(0.2, 1).process(&[], &mut scores);
            scores.iter().filter(|score| score.is_finite()).count()
        };
        assert_eq!(left([0.97, 0.01, 0.01, 0.01]), 1);
        assert_eq!(left([0.4, 0.25, 0.2, 0.15]), 4);
    }
}
