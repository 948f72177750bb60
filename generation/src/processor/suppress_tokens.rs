use super::forbid;
use crate::LogitsProcessor;
use crate::config::different;

/// Forbids tokens, everywhere or only as the first generated token.
///
/// Hugging Face: `SuppressTokensLogitsProcessor` and `SuppressTokensAtBeginLogitsProcessor`.
#[derive(Clone, Debug)]
pub(super) struct SuppressTokens {
    tokens: Vec<u32>,
    /// The length of a text, prompt included, at which the tokens are forbidden; always if `None`.
    begin_index: Option<usize>,
}

impl SuppressTokens {
    /// Forbids tokens everywhere.
    pub(super) fn new(tokens: &[u32]) -> Self {
        Self {
            tokens: different(tokens),
            begin_index: None,
        }
    }

    /// Forbids tokens only directly after `begin_index` tokens, prompt included.
    pub(super) fn at_begin(tokens: &[u32], begin_index: usize) -> Self {
        Self {
            begin_index: Some(begin_index),
            ..Self::new(tokens)
        }
    }
}

impl LogitsProcessor for SuppressTokens {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        if self.begin_index.is_none_or(|begin| tokens.len() == begin) {
            forbid(&self.tokens, scores);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_forbidden_everywhere_or_at_the_beginning() {
        let forbidden = [0.5, f32::NEG_INFINITY, 0.5];
        for (processor, at_two, later) in [
            (SuppressTokens::new(&[1]), forbidden, forbidden),
            (SuppressTokens::at_begin(&[1], 2), forbidden, [0.5; 3]),
        ] {
            for (tokens, expected) in [(&[0, 0][..], at_two), (&[0, 0, 0], later)] {
                let mut scores = [0.5; 3];
                processor.process(tokens, &mut scores);
                assert_eq!(scores, expected);
            }
        }
    }
}
