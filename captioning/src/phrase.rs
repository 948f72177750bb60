use std::str::FromStr;

use generation::{Matching, Phrase, separates_words};

use crate::{Captioner, Error};

/// A word or several behind each other that a caption has to contain, or must not.
///
/// As text: forms of which one will do are divided by `|`, as in `dog|dogs`, and behind a `*` a word
/// may go on, so that `dog*` is also in `dogma`. Without it only whole words count. Upper and lower
/// case are different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    forms: Vec<String>,
    starts: bool,
}

impl FromStr for Words {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let starts = text.trim_end().ends_with('*');
        let mut forms = Vec::new();
        for form in text.split('|').map(str::trim) {
            let (word, may_go_on) = match form.strip_suffix('*') {
                Some(word) => (word, true),
                None => (form, false),
            };
            if word.is_empty() || word.contains('*') || may_go_on != starts {
                return Err(Error::Words { text: text.into() });
            }
            forms.push(word.to_owned());
        }
        Ok(Self { forms, starts })
    }
}

impl Words {
    /// As tokens.
    pub(crate) fn phrase(&self, captioner: &Captioner) -> Result<Phrase, Error> {
        let matching = match self.starts {
            true => Matching::WordStarts,
            false => Matching::WholeWords,
        };
        let mut forms = Vec::new();
        for form in &self.forms {
            let tokens = captioner.pieces(form)?;
            // Where words stand without spaces, the space that a text begins with is none of theirs.
            if form.chars().next().is_some_and(separates_words) {
                forms.extend(captioner.without_space(&tokens));
            }
            forms.push(tokens);
        }
        let mut forms = forms.into_iter();
        let first = Phrase::new(forms.next().unwrap_or_default());
        Ok(forms.fold(first, Phrase::or).with_matching(matching))
    }
}

impl Captioner {
    /// The tokens of a text. All of them add text.
    pub(crate) fn pieces(&self, text: &str) -> Result<Vec<u32>, Error> {
        let tokens = self.tokenizer().pieces(text)?;
        let vocabulary = self.vocabulary();
        match tokens.iter().any(|token| vocabulary.text(*token).is_none()) {
            true => Err(Error::Unwritable { text: text.into() }),
            false => Ok(tokens),
        }
    }

    /// The same tokens without the space that the first begins with.
    fn without_space(&self, tokens: &[u32]) -> Option<Vec<u32>> {
        let (first, rest) = tokens.split_first()?;
        let word = self.vocabulary().text(*first)?.strip_prefix(' ')?;
        if word.is_empty() {
            return Some(rest.to_vec()).filter(|rest| !rest.is_empty());
        }
        let first = self.tokenizer().token_id(word)?;
        Some([&[first], rest].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_divided_and_stars_let_words_go_on() {
        let words: Words = "a dog | dogs".parse().unwrap();
        assert_eq!(words.forms, ["a dog", "dogs"]);
        assert!(!words.starts);
        assert!("dog*".parse::<Words>().unwrap().starts);
        for text in ["", "dog|", "dog*|cat", "*", "dog|cat*", "d*g", "*og"] {
            let error = text.parse::<Words>().unwrap_err();
            assert!(matches!(error, Error::Words { .. }), "{text}");
        }
    }
}
