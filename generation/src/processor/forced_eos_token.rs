use super::force;
use crate::LogitsProcessor;
use crate::config::different;

/// Forces an end token as the last token of a text of the greatest length.
///
/// Hugging Face: `ForcedEOSTokenLogitsProcessor`.
#[derive(Clone, Debug)]
pub(super) struct ForcedEosToken {
    max_length: usize,
    tokens: Vec<u32>,
}

impl ForcedEosToken {
    /// Forces one of `tokens` as token number `max_length`, prompt included.
    pub(super) fn new(max_length: usize, tokens: &[u32]) -> Self {
        Self {
            max_length,
            tokens: different(tokens),
        }
    }
}

impl LogitsProcessor for ForcedEosToken {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        if tokens.len() + 1 == self.max_length {
            force(&self.tokens, scores);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_token_is_forced() {
        let processor = ForcedEosToken::new(3, &[1]);
        let mut scores = [0.5; 3];
        processor.process(&[7, 7], &mut scores);
        assert_eq!(scores, [f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY]);
        let mut scores = [0.5; 3];
        processor.process(&[7], &mut scores);
        assert_eq!(scores, [0.5; 3]);
    }
}
