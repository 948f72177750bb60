use super::CaptionRule;
use crate::Caption;

/// Drops captions with U+FFFD, which programs put where bytes are not text, and with U+FFFE and U+FFFF, which are not
/// characters.
pub(super) struct ReplacementCharacters;

impl CaptionRule for ReplacementCharacters {
    fn name(&self) -> &'static str {
        "replacement_characters"
    }

    fn check(&self, caption: &Caption) -> Option<String> {
        let is_broken = |character: &char| matches!(character, '\u{fffd}'..='\u{ffff}');
        match caption.text.chars().filter(is_broken).count() {
            0 => None,
            count => Some(format!("{count} of its characters")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::caption;
    use super::*;

    #[test]
    fn replacement_characters_are_counted() {
        let found = ReplacementCharacters.check(&caption("caf\u{fffd} \u{fffd}"));
        assert_eq!(found.unwrap(), "2 of its characters");
        assert_eq!(ReplacementCharacters.check(&caption("café?")), None);
    }
}
