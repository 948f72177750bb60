use std::sync::Arc;

use crate::LogitsProcessor;

/// A function of the tokens of a row, prompt included: the tokens that may come next.
pub type AllowedTokensFn = dyn Fn(&[u32]) -> Vec<u32> + Send + Sync;

/// Forbids all tokens that a function does not allow.
///
/// Hugging Face: `PrefixConstrainedLogitsProcessor`. A token that another processor forbids stays
/// forbidden.
pub(super) struct AllowedTokens(Arc<AllowedTokensFn>);

impl AllowedTokens {
    /// The function returns the tokens that may come next.
    pub(super) fn new(allowed: Arc<AllowedTokensFn>) -> Self {
        Self(allowed)
    }
}

impl LogitsProcessor for AllowedTokens {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        let mut allowed = (self.0)(tokens);
        allowed.sort_unstable();
        let mut start = 0;
        for token in allowed {
            let token = token as usize;
            if token >= scores.len() {
                break;
            }
            // A repeated token leaves nothing to forbid.
            scores[start.min(token)..token].fill(f32::NEG_INFINITY);
            start = token + 1;
        }
        scores[start..].fill(f32::NEG_INFINITY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_function_allows_is_left() {
        let processor = AllowedTokens::new(Arc::new(|tokens: &[u32]| match tokens {
            [_] => vec![3, 1, 3, 99],
            _ => vec![0],
        }));
        let forbidden = f32::NEG_INFINITY;
        let mut scores = [0.5; 5];
        processor.process(&[2], &mut scores);
        assert_eq!(scores, [forbidden, 0.5, forbidden, 0.5, forbidden]);
        let mut scores = [0.5; 2];
        processor.process(&[2, 2], &mut scores);
        assert_eq!(scores, [0.5, forbidden]);
    }
}
