use crate::StoppingCriterion;
use crate::config::different;

/// Complete when the last token is one of the end tokens.
///
/// Hugging Face: `EosTokenCriteria`.
#[derive(Clone, Debug)]
pub(super) struct EndToken {
    /// Ascending.
    eos_token_id: Vec<u32>,
}

impl EndToken {
    /// A text ends with any of these tokens.
    pub(super) fn new(eos_token_id: &[u32]) -> Self {
        Self {
            eos_token_id: different(eos_token_id),
        }
    }
}

impl StoppingCriterion for EndToken {
    fn is_complete(&self, tokens: &[u32]) -> bool {
        tokens
            .last()
            .is_some_and(|last| self.eos_token_id.binary_search(last).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_token_ends_a_text() {
        let criterion = EndToken::new(&[5, 2]);
        assert!(criterion.is_complete(&[1, 5]));
        assert!(!criterion.is_complete(&[2, 1]));
    }
}
