use crate::StoppingCriterion;

/// Complete at a given number of tokens, prompt included.
///
/// Hugging Face: `MaxLengthCriteria`.
#[derive(Clone, Debug)]
pub(super) struct MaxLength {
    max_length: usize,
}

impl MaxLength {
    /// `max_length` includes the prompt.
    pub(super) fn new(max_length: usize) -> Self {
        Self { max_length }
    }
}

impl StoppingCriterion for MaxLength {
    fn is_complete(&self, tokens: &[u32]) -> bool {
        tokens.len() >= self.max_length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_complete_at_the_greatest_length() {
        let criterion = MaxLength::new(3);
        assert!(!criterion.is_complete(&[1, 2]));
        assert!(criterion.is_complete(&[1, 2, 3]));
    }
}
