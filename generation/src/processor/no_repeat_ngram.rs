use super::forbid;
use crate::LogitsProcessor;

/// Forbids tokens that would repeat a sequence of `size` tokens that the text already has.
///
/// Hugging Face: `NoRepeatNGramLogitsProcessor`.
#[derive(Clone, Debug)]
pub(super) struct NoRepeatNGram {
    size: usize,
}

impl NoRepeatNGram {
    /// Forbids repeated sequences of `size` tokens.
    ///
    /// # Panics
    /// If `size` is 0.
    pub(super) fn new(size: usize) -> Self {
        assert!(size > 0, "a sequence has at least one token");
        Self { size }
    }
}

impl LogitsProcessor for NoRepeatNGram {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        if tokens.len() < self.size {
            return;
        }
        let end = &tokens[tokens.len() + 1 - self.size..];
        for window in tokens.windows(self.size) {
            if let Some((last, start)) = window.split_last()
                && start == end
            {
                forbid(&[*last], scores);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden(size: usize, tokens: &[u32]) -> Vec<usize> {
        let mut scores = [0.5; 6];
        NoRepeatNGram::new(size).process(tokens, &mut scores);
        (0..6)
            .filter(|token| scores[*token] == f32::NEG_INFINITY)
            .collect()
    }

    #[test]
    fn what_followed_the_same_tokens_before_is_forbidden() {
        assert_eq!(forbidden(3, &[1, 2, 3, 1, 2, 4, 1, 2]), [3, 4]);
        assert_eq!(forbidden(2, &[1, 2, 3]), [] as [usize; 0]);
        assert_eq!(forbidden(1, &[1, 5]), [1, 5]);
        assert_eq!(forbidden(3, &[1, 1]), [] as [usize; 0]);
    }
}
