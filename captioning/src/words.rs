use std::str::FromStr;

use crate::Error;

/// A word or phrase that a caption has to contain or must not contain.
///
/// It is parsed from text. `dog|dogs` lists alternative forms: one of them suffices. `dog*` also matches
/// longer words that begin so, such as `dogma`; without `*`, only whole words match. Letters match in the
/// case in which they are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub(crate) forms: Vec<String>,
    /// Whether a word may go on after a form.
    pub(crate) starts_word: bool,
}

impl FromStr for Words {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let starts_word = text.trim_end().ends_with('*');
        let mut forms = Vec::new();
        for form in text.split('|').map(str::trim) {
            let (word, has_star) = match form.strip_suffix('*') {
                Some(word) => (word, true),
                None => (form, false),
            };
            if word.is_empty() || word.contains('*') || has_star != starts_word {
                return Err(Error::Words { text: text.into() });
            }
            forms.push(word.to_owned());
        }
        Ok(Self { forms, starts_word })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_separated_by_bars_and_a_star_matches_longer_words() {
        let words: Words = "a dog | dogs".parse().unwrap();
        assert_eq!(words.forms, ["a dog", "dogs"]);
        assert!(!words.starts_word);
        assert!("dog*".parse::<Words>().unwrap().starts_word);
        assert!("dog*|cat*".parse::<Words>().unwrap().starts_word);
    }

    #[test]
    fn text_that_is_not_words_is_a_typed_error() {
        for text in ["", "dog|", "dog*|cat", "*", "dog|cat*", "d*g", "*og"] {
            let error = text.parse::<Words>().unwrap_err();
            assert!(matches!(error, Error::Words { .. }), "{text}");
        }
    }
}
