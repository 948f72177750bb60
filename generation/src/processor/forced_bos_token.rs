use super::force;
use crate::LogitsProcessor;

/// Forces the first generated token, for example mBART's language code.
///
/// Hugging Face: `ForcedBOSTokenLogitsProcessor`, which acts on sequences of length 1 only: after a
/// longer prompt it has no effect.
#[derive(Clone, Debug)]
pub(super) struct ForcedBosToken {
    token: u32,
}

impl ForcedBosToken {
    /// Forces `token` after the start token.
    pub(super) fn new(token: u32) -> Self {
        Self { token }
    }
}

impl LogitsProcessor for ForcedBosToken {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        if tokens.len() == 1 {
            force(&[self.token], scores);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_token_is_forced() {
        let processor = ForcedBosToken::new(2);
        let mut scores = [0.5; 3];
        processor.process(&[7], &mut scores);
        assert_eq!(scores, [f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0]);
        let mut scores = [0.5; 3];
        processor.process(&[7, 2], &mut scores);
        assert_eq!(scores, [0.5; 3]);
    }
}
