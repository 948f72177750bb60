use super::endings::Endings;
use crate::LogitsProcessor;

/// Adds a bias to the score of a sequence's last token where the row ends with the other tokens.
///
/// Hugging Face: `SequenceBiasLogitsProcessor`. If a sequence is given twice, the last bias counts,
/// as it does there.
#[derive(Clone, Debug)]
pub(super) struct SequenceBias {
    biases: Endings<f32>,
}

impl SequenceBias {
    /// Sequences of at least one token, with their biases.
    pub(super) fn new(biases: &[(Vec<u32>, f64)]) -> Self {
        let biases = biases.iter();
        Self {
            biases: Endings::new(biases.map(|(tokens, bias)| (tokens.as_slice(), *bias as f32))),
        }
    }
}

impl LogitsProcessor for SequenceBias {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        self.biases.for_each(tokens, |last, bias| {
            if let Some(score) = scores.get_mut(last as usize) {
                *score += bias;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_biased_at_its_last_token() {
        let biases = [
            (vec![1], 9.0),
            (vec![2, 3], -4.0),
            (vec![3], 1.0),
            (vec![1], 2.5),
        ];
        let processor = SequenceBias::new(&biases);
        let mut scores = [0.5; 4];
        processor.process(&[0, 2], &mut scores);
        assert_eq!(scores, [0.5, 3.0, 0.5, -2.5]);
        let mut scores = [0.5, 0.5, 0.5, f32::NEG_INFINITY];
        processor.process(&[2, 0], &mut scores);
        assert_eq!(scores, [0.5, 3.0, 0.5, f32::NEG_INFINITY]);
    }
}
