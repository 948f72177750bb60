use crate::LogitsProcessor;
use crate::config::different;

/// Makes the end tokens more and more likely after a given length: to each score is added its
/// absolute value times factor^n - 1, where n is the number of tokens beyond that length.
///
/// Hugging Face: `ExponentialDecayLengthPenalty`.
#[derive(Clone, Debug)]
pub(super) struct ExponentialDecay {
    start: i64,
    factor: f64,
    eos_token_id: Vec<u32>,
}

impl ExponentialDecay {
    /// `start` is a length, prompt included; a factor above 1 shortens texts.
    pub(super) fn new(start: i64, factor: f64, eos_token_id: &[u32]) -> Self {
        Self {
            start,
            factor,
            eos_token_id: different(eos_token_id),
        }
    }
}

impl LogitsProcessor for ExponentialDecay {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        let length = i64::try_from(tokens.len()).unwrap_or(i64::MAX);
        let beyond = length.saturating_sub(self.start);
        if beyond <= 0 {
            return;
        }
        // Bounded, since infinity times a score of 0 would be NaN.
        let most = f64::from(f32::MAX);
        let growth = (self.factor.powf(beyond as f64) - 1.0).clamp(-most, most) as f32;
        for token in &self.eos_token_id {
            if let Some(score) = scores.get_mut(*token as usize).filter(|s| s.is_finite()) {
                *score = (*score + score.abs() * growth).clamp(f32::MIN, f32::MAX);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_grows_more_likely_with_each_token() {
        let processor = ExponentialDecay::new(3, 2.0, &[0, 2, 3]);
        for (length, expected) in [
            (3, [1.0, 1.0, -1.0]),
            (4, [2.0, 1.0, 0.0]),
            (5, [4.0, 1.0, 2.0]),
        ] {
            let mut scores = [1.0, 1.0, -1.0, f32::NEG_INFINITY];
            processor.process(&vec![1; length], &mut scores);
            assert_eq!(scores[..3], expected, "{length}");
            assert_eq!(scores[3], f32::NEG_INFINITY);
        }
    }

    #[test]
    fn a_long_text_does_not_make_it_infinite() {
        for before in [3.0, 0.0, -3.0] {
            let mut scores = [before];
            ExponentialDecay::new(1, 10.0, &[0]).process(&[1; 2000], &mut scores);
            assert!(scores[0].is_finite() && scores[0] >= before);
        }
    }
}
