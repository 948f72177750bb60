use super::{CaptionRule, has_spaces};
use crate::Caption;

/// Drops captions with too few characters or words.
pub(super) struct TooShort {
    pub(super) characters: usize,
    pub(super) words: usize,
}

impl CaptionRule for TooShort {
    fn name(&self) -> &'static str {
        "too_short"
    }

    fn check(&self, caption: &Caption) -> Option<String> {
        if !has_spaces(caption.language) {
            return None;
        }
        let text = caption.text.trim();
        let found = |count: usize, limit: usize, what: &str| {
            (count < limit).then(|| format!("{count} {what}, fewer than {limit}"))
        };
        found(text.chars().count(), self.characters, "characters")
            .or_else(|| found(text.split_whitespace().count(), self.words, "words"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{caption, in_language};
    use super::*;

    #[test]
    fn short_captions_are_found_where_words_have_spaces() {
        let rule = TooShort {
            characters: 3,
            words: 2,
        };
        assert_eq!(
            rule.check(&caption(" é. ")).unwrap(),
            "2 characters, fewer than 3"
        );
        assert_eq!(
            rule.check(&caption("cats")).unwrap(),
            "1 words, fewer than 2"
        );
        assert_eq!(rule.check(&caption("a cat")), None);
        assert_eq!(rule.check(&in_language("ja", "猫")), None);
    }
}
