use crate::LogitsProcessor;
use crate::config::different;

/// Makes tokens that the text already has less likely: divides their scores by the penalty if they
/// are positive and multiplies them if they are negative.
///
/// Hugging Face: `RepetitionPenaltyLogitsProcessor`. Reference: Keskar et al., "CTRL", 2019.
#[derive(Clone, Debug)]
pub(super) struct RepetitionPenalty {
    penalty: f32,
}

impl RepetitionPenalty {
    /// Above 1 discourages repetition, below 1 encourages it.
    pub(super) fn new(penalty: f32) -> Self {
        Self { penalty }
    }
}

impl LogitsProcessor for RepetitionPenalty {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        // Each is penalised once, however often it occurs.
        for token in different(tokens) {
            if let Some(score) = scores.get_mut(token as usize) {
                *score = match *score < 0.0 {
                    true => *score * self.penalty,
                    false => *score / self.penalty,
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_came_are_less_likely_once() {
        let mut scores = [2.0, -2.0, 1.0, f32::NEG_INFINITY];
        RepetitionPenalty::new(2.0).process(&[0, 1, 0, 3, 9], &mut scores);
        assert_eq!(scores, [1.0, -4.0, 1.0, f32::NEG_INFINITY]);
    }
}
