use unicode_normalization::UnicodeNormalization;

/// A text with composed characters (Unicode's normalisation form C), one space in place of each run of white space, and
/// none at the ends.
pub(super) fn normalised(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !result.is_empty() {
            result.push(' ');
        }
        result.extend(word.nfc());
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_composed_and_spaces_joined() {
        assert_eq!(normalised(" cafe\u{301}\t\u{a0} noir\n"), "café noir");
        assert_eq!(
            normalised("ﬁ ½"),
            "ﬁ ½",
            "nothing is replaced by what only looks like it"
        );
        assert_eq!(normalised(" \n"), "");
    }
}
