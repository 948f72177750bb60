use std::fmt;
use std::sync::Arc;

use crate::LogitsProcessor;

/// Of a prompt's number and the tokens of a row, which tokens may come next.
pub(crate) type Allowed = dyn Fn(usize, &[u32]) -> Vec<u32> + Send + Sync;

/// Forbids all tokens but those that a function allows.
///
/// Hugging Face: `PrefixConstrainedLogitsProcessor`. A token that another processor forbids stays
/// forbidden.
#[derive(Clone)]
pub struct AllowedTokens {
    prompt: usize,
    allowed: Arc<Allowed>,
}

impl AllowedTokens {
    /// For the prompt of this number: the function is given it and all tokens of a row.
    pub fn new(
        prompt: usize,
        allowed: impl Fn(usize, &[u32]) -> Vec<u32> + Send + Sync + 'static,
    ) -> Self {
        Self::shared(prompt, Arc::new(allowed))
    }

    pub(crate) fn shared(prompt: usize, allowed: Arc<Allowed>) -> Self {
        Self { prompt, allowed }
    }
}

impl LogitsProcessor for AllowedTokens {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        let mut allowed = (self.allowed)(self.prompt, tokens);
        allowed.sort_unstable();
        let mut start = 0;
        for token in allowed {
            let token = token as usize;
            if token >= scores.len() {
                break;
            }
            // The same token again leaves nothing to forbid.
            scores[start.min(token)..token].fill(f32::NEG_INFINITY);
            start = token + 1;
        }
        scores[start..].fill(f32::NEG_INFINITY);
    }
}

impl fmt::Debug for AllowedTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AllowedTokens")
            .field("prompt", &self.prompt)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_function_allows_is_left() {
        let processor = AllowedTokens::new(7, |prompt, tokens| match tokens {
            [_] => vec![3, 1, 3, 99],
            _ => vec![prompt as u32 - 7],
        });
        let forbidden = f32::NEG_INFINITY;
        let mut scores = [0.5; 5];
        processor.process(&[2], &mut scores);
        assert_eq!(scores, [forbidden, 0.5, forbidden, 0.5, forbidden]);
        let mut scores = [0.5; 2];
        processor.process(&[2, 2], &mut scores);
        assert_eq!(scores, [0.5, forbidden]);
    }
}
