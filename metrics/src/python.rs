//! Classes of characters as Python has them, since the definitions of these scores are Python's regular expressions.
//!
//! There are two kinds, and Rust's are a third: is a vowel sign part of a word, is the separator U+001C white space?

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// `str.isspace`, and `\s` of the module `re`.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// `\w` of the module `re`: letters, numbers of all kinds, and the underscore.
pub(crate) fn is_word(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    matches!(
        character.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
    )
}

/// What the package `regex`, which most rules of NLTK have used since version 3.10, takes for `\s`, `\w` and `\d`.
pub(crate) mod regex {
    use super::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

    /// `\s`, which has no separators of the ASCII range.
    pub(crate) fn is_space(character: char) -> bool {
        character.is_whitespace()
    }

    /// `\w`: what is alphabetic, marks, digits, connecting punctuation, and what joins letters.
    pub(crate) fn is_word(character: char) -> bool {
        if character.is_ascii() {
            return character.is_ascii_alphanumeric() || character == '_';
        }
        character.is_alphabetic()
            || character.general_category_group() == GeneralCategoryGroup::Mark
            || matches!(
                character.general_category(),
                GeneralCategory::DecimalNumber | GeneralCategory::ConnectorPunctuation
            )
            || matches!(character, '\u{200c}' | '\u{200d}')
    }

    /// `\d`: digits of all scripts.
    pub(crate) fn is_digit(character: char) -> bool {
        if character.is_ascii() {
            return character.is_ascii_digit();
        }
        character.general_category() == GeneralCategory::DecimalNumber
    }

    /// `[^\W\d]`: what Punkt takes for letters.
    pub(crate) fn is_letter(character: char) -> bool {
        is_word(character) && !is_digit(character)
    }
}

/// An ASCII letter in lower case, or the one that `(?i)` takes a character for.
pub(crate) fn folded(character: char) -> char {
    match character {
        'ı' | 'İ' => 'i',
        'ſ' => 's',
        other => other.to_ascii_lowercase(),
    }
}

/// `text.split()`.
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_differ_from_each_other_where_pythons_do() {
        assert!(is_space('\u{1c}') && !regex::is_space('\u{1c}'));
        assert!(is_space('\u{a0}') && is_space('\u{3000}') && !is_space('\u{200b}'));
        // A vowel sign, a superscript, a Roman numeral, a circled letter.
        let words = ['\u{93e}', '²', 'Ⅷ', 'Ⓐ'];
        assert_eq!(words.map(is_word), [false, true, true, false]);
        assert_eq!(words.map(regex::is_word), [true, false, true, true]);
        assert!(regex::is_digit('٣') && !regex::is_digit('²') && !regex::is_letter('٣'));
        assert_eq!(folded('ſ'), 's');
        assert_eq!(split("\u{1f} a\u{85}b ").collect::<Vec<_>>(), ["a", "b"]);
    }
}
