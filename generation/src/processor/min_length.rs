use super::forbid;
use crate::LogitsProcessor;
use crate::config::different;

/// Forbids the end tokens until a text has a given length, prompt included.
///
/// Hugging Face: `MinLengthLogitsProcessor`; `MinNewTokensLengthLogitsProcessor` is the same with
/// the length of the prompt added.
#[derive(Clone, Debug)]
pub(super) struct MinLength {
    min_length: usize,
    eos_token_id: Vec<u32>,
}

impl MinLength {
    /// `min_length` includes the prompt.
    pub(super) fn new(min_length: usize, eos_token_id: &[u32]) -> Self {
        Self {
            min_length,
            eos_token_id: different(eos_token_id),
        }
    }
}

impl LogitsProcessor for MinLength {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        if tokens.len() < self.min_length {
            forbid(&self.eos_token_id, scores);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_forbidden_until_the_length_is_reached() {
        let processor = MinLength::new(3, &[1]);
        let mut scores = [0.5; 3];
        processor.process(&[0, 0], &mut scores);
        assert_eq!(scores, [0.5, f32::NEG_INFINITY, 0.5]);
        let mut scores = [0.5; 3];
        processor.process(&[0, 0, 0], &mut scores);
        assert_eq!(scores, [0.5; 3]);
    }
}
