use super::CaptionRule;
use crate::Caption;

/// Drops captions with characters of Unicode's category Cc: NUL, tabs, line breaks, escapes. A table of captions can't hold
/// some of them, and no caption needs them.
pub(super) struct ControlCharacters;

impl CaptionRule for ControlCharacters {
    fn name(&self) -> &'static str {
        "control_characters"
    }

    fn check(&self, caption: &Caption) -> Option<String> {
        let mut characters = caption.text.chars().enumerate();
        let (position, found) = characters.find(|(_, character)| character.is_control())?;
        Some(format!(
            "U+{:04X} is character {}",
            u32::from(found),
            position + 1
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::caption;
    use super::*;

    #[test]
    fn control_characters_are_found_and_joiners_are_not() {
        for text in ["a\0b", "a\tb", "a\nb", "\u{1b}[31m", "a\u{85}"] {
            assert!(
                ControlCharacters.check(&caption(text)).is_some(),
                "{text:?}"
            );
        }
        for text in ["a cat", "👩‍🌾 می‌خواهم", "a\u{a0}b"] {
            assert_eq!(ControlCharacters.check(&caption(text)), None);
        }
        let found = ControlCharacters.check(&caption("né\u{7}")).unwrap();
        assert_eq!(found, "U+0007 is character 3");
    }
}
