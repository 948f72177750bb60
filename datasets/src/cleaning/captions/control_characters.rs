use super::CaptionRule;
use crate::Caption;

/// Drops captions with characters of Unicode's category Cc: NUL, tabs, line breaks, escapes. No caption needs them, and a
/// table of captions can't hold some of them: those are not allowed in any case.
pub(super) struct ControlCharacters {
    /// Whether those that a table can hold are not allowed either.
    pub(super) all: bool,
}

/// Line breaks that a row of a table may have. Readers take more for a quotation mark that is not closed.
const LINE_BREAKS: usize = 32;

impl CaptionRule for ControlCharacters {
    fn name(&self) -> &'static str {
        "control_characters"
    }

    fn check(&self, caption: &Caption) -> Option<String> {
        let is_wrong = |character: char| match self.all {
            true => character.is_control(),
            false => matches!(character, '\0' | '\t'),
        };
        let mut characters = caption.text.chars().enumerate();
        if let Some((position, found)) = characters.find(|(_, character)| is_wrong(*character)) {
            return Some(format!(
                "U+{:04X} is character {}",
                u32::from(found),
                position + 1
            ));
        }
        let breaks = caption.text.matches(['\n', '\r']).count();
        (breaks > LINE_BREAKS).then(|| format!("{breaks} line breaks"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::caption;
    use super::*;

    const ALL: ControlCharacters = ControlCharacters { all: true };

    #[test]
    fn what_no_table_can_hold_is_found_in_any_case() {
        let rule = ControlCharacters { all: false };
        let many = "a\n".repeat(LINE_BREAKS + 1);
        for text in ["a\0b", "a\tb", &many] {
            assert!(rule.check(&caption(text)).is_some(), "{text:?}");
        }
        for text in ["a\nb", "\u{1b}[31m", "a\u{85}\u{7f}"] {
            assert_eq!(rule.check(&caption(text)), None, "{text:?}");
        }
    }

    #[test]
    fn control_characters_are_found_and_joiners_are_not() {
        for text in ["a\0b", "a\tb", "a\nb", "\u{1b}[31m", "a\u{85}"] {
            assert!(ALL.check(&caption(text)).is_some(), "{text:?}");
        }
        for text in ["a cat", "👩‍🌾 می‌خواهم", "a\u{a0}b"] {
            assert_eq!(ALL.check(&caption(text)), None);
        }
        let found = ALL.check(&caption("né\u{7}")).unwrap();
        assert_eq!(found, "U+0007 is character 3");
    }
}
