//! Words and texts as tokens.

use generation::{Matching, Phrase, separates_words};

use crate::{Captioner, Error, Words};

impl Captioner {
    /// The tokens of each form of some words.
    pub(crate) fn phrase(&self, words: &Words) -> Result<Phrase, Error> {
        let mut forms = Vec::with_capacity(words.forms.len());
        for form in &words.forms {
            let tokens = self.pieces(form)?;
            // In a script without spaces, a word rarely comes after a space, but the tokenizer begins
            // every text with one.
            if form.chars().next().is_some_and(separates_words) {
                forms.extend(self.without_space(&tokens));
            }
            forms.push(tokens);
        }
        let mut forms = forms.into_iter();
        let first = Phrase::new(forms.next().unwrap_or_default());
        let matching = match words.starts_word {
            true => Matching::WordStarts,
            false => Matching::WholeWords,
        };
        Ok(forms.fold(first, Phrase::or).with_matching(matching))
    }

    /// The tokens of a text, each of which adds text.
    pub(crate) fn pieces(&self, text: &str) -> Result<Vec<u32>, Error> {
        let tokens = self.tokenizer().pieces(text)?;
        let vocabulary = self.vocabulary();
        match tokens.iter().any(|token| vocabulary.text(*token).is_none()) {
            true => Err(Error::Unwritable { text: text.into() }),
            false => Ok(tokens),
        }
    }

    /// The same tokens without the space that the first begins with, if the vocabulary has such a token.
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
