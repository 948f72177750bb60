use crate::LogitsProcessor;
use crate::numeric::log_softmax;

/// Makes log-probabilities of the scores that the other processors leave.
///
/// Hugging Face: `LogitNormalization`.
#[derive(Clone, Debug, Default)]
pub(super) struct LogNormalization;

impl LogitsProcessor for LogNormalization {
    fn process(&self, _tokens: &[u32], scores: &mut [f32]) {
        log_softmax(scores); // leaves scores of which none is possible as they are
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_again() {
        let mut scores = [3.0, 3.0, f32::NEG_INFINITY];
        LogNormalization.process(&[], &mut scores);
        assert_eq!(scores, [0.5_f32.ln(), 0.5_f32.ln(), f32::NEG_INFINITY]);
    }
}
