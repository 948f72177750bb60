/// Characters of a text from outside that a message shows.
const SHOWN: usize = 60;

/// A text from outside for a message: quoted, with control characters escaped, and only its beginning if it is long.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_unprintable_texts_are_shown_short_and_escaped() {
        assert_eq!(quoted("a\u{1b}[2J\u{202e}"), r#""a\u{1b}[2J\u{202e}""#);
        let shown = quoted(&"é".repeat(1 << 20));
        assert_eq!(shown, format!("{:?}...", "é".repeat(SHOWN)));
    }
}
