/// Whether a caption has nothing but white space, zero-width spaces and byte-order marks. No other rule looks at it then.
pub(in super::super) fn is_empty(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_whitespace() || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_of_all_kinds_are_empty_and_a_letter_is_not() {
        for text in ["", " ", "\t\n", "\u{a0}\u{3000}", "\u{feff}", "\u{200b} "] {
            assert!(is_empty(text), "{text:?}");
        }
        for text in ["a", " . ", "猫"] {
            assert!(!is_empty(text), "{text:?}");
        }
    }
}
