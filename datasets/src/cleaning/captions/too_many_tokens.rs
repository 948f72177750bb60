use preprocess::text::Tokenizer;

use super::CaptionRule;
use crate::Caption;

/// Drops captions that would be cut, since they have more tokens than the decoder is trained with.
pub(super) struct TooManyTokens {
    pub(super) tokenizer: Tokenizer,
    pub(super) most: usize,
}

/// The language code and `</s>`.
const FRAME: usize = 2;

impl CaptionRule for TooManyTokens {
    fn name(&self) -> &'static str {
        "too_many_tokens"
    }

    fn check(&self, caption: &Caption) -> Option<String> {
        let most = self.most;
        match self.tokenizer.pieces(&caption.text) {
            Ok(pieces) if pieces.len() + FRAME > most => {
                Some(format!("{} tokens, more than {most}", pieces.len() + FRAME))
            }
            Ok(_) => None,
            Err(_) => Some("the tokenizer can't split it".into()),
        }
    }
}
