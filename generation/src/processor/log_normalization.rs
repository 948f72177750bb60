use crate::LogitsProcessor;
use crate::numeric::log_softmax;

/// Normalises the scores to log-probabilities after the other processors.
///
/// Hugging Face: `LogitNormalization`.
#[derive(Clone, Debug, Default)]
pub(super) struct LogNormalization;

impl LogitsProcessor for LogNormalization {
    fn process(&self, _tokens: &[u32], scores: &mut [f32]) {
        log_softmax(scores); // changes nothing if no token is possible
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
