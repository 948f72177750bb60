//! The option `clean_up_tokenization_spaces`, which takes out spaces before English punctuation.

/// What is replaced, one after the other (`PreTrainedTokenizerBase.clean_up_tokenization` of transformers).
const REPLACEMENTS: [(&str, &str); 10] = [
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
];

/// The text with these spaces taken out.
pub(super) fn clean_up(text: &str) -> String {
    let replace = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
    REPLACEMENTS.iter().fold(text.to_owned(), replace)
}

/// What a part of a text must not end with, since the beginning of the next part may join it: `n` and ` ' ` and `t`.
const OPEN: [&str; 3] = [" ", " '", " n"];

/// Where a text can be cut so that the cleaned parts are the parts of the cleaned text, whatever comes after it: before
/// its last space that no replacement can reach over.
pub(super) fn settled(text: &str) -> usize {
    let mut spaces = text.rmatch_indices(' ').map(|(position, _)| position);
    let is_closed = |position: &usize| {
        let head = &text[..*position];
        !OPEN.iter().any(|end| head.ends_with(end))
    };
    spaces.find(is_closed).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_before_punctuation_and_in_contractions_go() {
        for (text, expected) in [
            ("a dog , a cat .", "a dog, a cat."),
            ("it 's n't we 've ?", "it'sn't we've?"),
            ("( a ' c ' ! )", "( a'c '! )"),
            ("  . ..", " ..."),
            ("do not", "do not"),
        ] {
            assert_eq!(clean_up(text), expected, "{text}");
        }
    }

    #[test]
    fn the_parts_of_a_cut_text_are_cleaned_as_the_whole() {
        // All texts of eight of these parts, cut after the fifth.
        const PARTS: [&str; 6] = [" ", "'", ".", "n", "t", "s"];
        for number in 0..6usize.pow(8) {
            let parts: Vec<&str> = (0..8)
                .map(|digit| PARTS[number / 6usize.pow(digit) % 6])
                .collect();
            let whole = parts.concat();
            let begun = parts[..5].concat();
            let (head, _) = begun.split_at(settled(&begun));
            let tail = &whole[head.len()..];
            assert_eq!(
                clean_up(head) + &clean_up(tail),
                clean_up(&whole),
                "{whole:?} cut after {head:?}"
            );
        }
    }
}
