use super::{CaptionRule, has_spaces};
use crate::Caption;

/// Drops captions with too many characters or words, or of more bytes than the row of a table should have.
pub(super) struct TooLong {
    pub(super) characters: Option<usize>,
    pub(super) words: Option<usize>,
}

/// Half of what readers allow a row.
const MAX_BYTES: usize = 512 << 10;

impl CaptionRule for TooLong {
    fn name(&self) -> &'static str {
        "too_long"
    }

    fn check(&self, caption: &Caption) -> Option<String> {
        let text = &caption.text;
        let found = |count: usize, limit: Option<usize>, what: &str| {
            let limit = limit.filter(|limit| count > *limit)?;
            Some(format!("{count} {what}, more than {limit}"))
        };
        found(text.chars().count(), self.characters, "characters")
            .or_else(|| match has_spaces(caption.language) {
                true => found(text.split_whitespace().count(), self.words, "words"),
                false => None,
            })
            .or_else(|| found(text.len(), Some(MAX_BYTES), "bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{caption, in_language};
    use super::*;

    #[test]
    fn characters_and_words_are_counted() {
        let rule = TooLong {
            characters: Some(10),
            words: Some(3),
        };
        assert_eq!(
            rule.check(&caption("a b c d")).unwrap(),
            "4 words, more than 3"
        );
        assert_eq!(rule.check(&caption("éééééééééé")), None);
        assert_eq!(
            rule.check(&caption("ééééééééééé")).unwrap(),
            "11 characters, more than 10"
        );
        assert_eq!(rule.check(&in_language("zh", "猫 猫 猫 猫")), None);
        let any = TooLong {
            characters: None,
            words: None,
        };
        assert_eq!(any.check(&caption(&"a".repeat(MAX_BYTES))), None);
        assert!(any.check(&caption(&"a".repeat(MAX_BYTES + 1))).is_some());
    }
}
