use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character could change how a terminal or a reader of lines understands the text around it: control
/// characters (C0, DEL and C1), the separators of lines and paragraphs, and the characters with Unicode's property
/// `Bidi_Control`. Joiners are not among them, since emoji and several scripts are written with them.
pub fn is_escaped(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{061c}' | '\u{200e}' | '\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// The text with an escape for each character that [`is_escaped`]: `\n`, `\r`, `\t`, `\x1b` below 128 and `\u{202e}`
/// above.
///
/// Backslashes stay as they are, so text that is escaped already does not change.
///
/// ```
/// assert_eq!(report::escaped("a\x1b[31m\nb"), r"a\x1b[31m\nb");
/// assert_eq!(report::escaped("naïve 👩‍🌾"), "naïve 👩‍🌾");
/// ```
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push(&mut result, character);
    }
    Cow::Owned(result)
}

/// Adds a character or its escape.
pub(crate) fn push(text: &mut String, character: char) {
    // Writing to a string can't fail.
    let _ = match character {
        '\n' | '\r' | '\t' => write!(text, "{}", character.escape_default()),
        _ if !is_escaped(character) => write!(text, "{character}"),
        _ if character.is_ascii() => write!(text, r"\x{:02x}", u32::from(character)),
        _ => write!(text, r"\u{{{:x}}}", u32::from(character)),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_moves_text_is_escaped_and_nothing_else() {
        for (text, expected) in [
            ("\0\x07\x08\x7f", r"\x00\x07\x08\x7f"),
            ("a\tb\r\nc", r"a\tb\r\nc"),
            ("\u{80}\u{85}\u{9b}31m", r"\u{80}\u{85}\u{9b}31m"),
            (
                "a\u{202e}b\u{2066}c\u{2069}",
                r"a\u{202e}b\u{2066}c\u{2069}",
            ),
            (
                "\u{200e}\u{200f}\u{61c}\u{2028}\u{2029}",
                r"\u{200e}\u{200f}\u{61c}\u{2028}\u{2029}",
            ),
            (
                "一只猫 \u{a0} é שלום می‌خواهم \\ 👩‍🌾",
                "一只猫 \u{a0} é שלום می‌خواهم \\ 👩‍🌾",
            ),
        ] {
            assert_eq!(escaped(text), expected);
            assert_eq!(escaped(&escaped(text)), expected, "twice is once");
        }
    }

    #[test]
    fn no_escape_has_a_character_that_is_escaped() {
        for character in '\0'..=char::MAX {
            let mut text = String::new();
            push(&mut text, character);
            assert!(!text.contains(is_escaped), "{character:?}");
        }
    }
}
