use crate::StoppingCriterion;

/// Complete when the last token is one of the end tokens.
///
/// Hugging Face: `EosTokenCriteria`.
#[derive(Clone, Debug)]
pub(super) struct EndToken {
    eos_token_id: Vec<u32>,
}

impl EndToken {
    /// A text ends with any of these tokens.
    pub(super) fn new(eos_token_id: Vec<u32>) -> Self {
        Self { eos_token_id }
    }
}

impl StoppingCriterion for EndToken {
    fn is_complete(&self, tokens: &[u32]) -> bool {
        tokens
            .last()
            .is_some_and(|last| self.eos_token_id.contains(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_token_ends_a_text() {
        let criterion = EndToken::new(vec![2, 5]);
        assert!(criterion.is_complete(&[1, 5]));
        assert!(!criterion.is_complete(&[2, 1]));
    }
}
