//! Phrases that a text has to contain, or must not contain.

use std::sync::Arc;

use crate::vocabulary::separates_words;
use crate::{ConfigError, Vocabulary};

/// A phrase that a text has to contain or must not contain, in one or several alternative forms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phrase {
    pub(crate) alternatives: Vec<Vec<u32>>,
    pub(crate) matching: Matching,
}

/// What counts as an occurrence of a phrase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Matching {
    /// The sequence of tokens, even inside a longer word: Hugging Face's `force_words_ids` and
    /// `bad_words_ids`.
    #[default]
    Tokens,
    /// The text of the tokens with word boundaries at both ends, however it is divided into tokens:
    /// "dog" occurs in "a dog." but not in "dogma".
    WholeWords,
    /// The text of the tokens with a word boundary before it, however it is divided into tokens:
    /// "dog" occurs in "dogma" too, but not in "hotdog".
    WordStarts,
}

impl Phrase {
    /// A phrase of these tokens, which occurs wherever they do.
    pub fn new(tokens: Vec<u32>) -> Self {
        Self {
            alternatives: vec![tokens],
            matching: Matching::Tokens,
        }
    }

    /// Adds an alternative: the phrase occurs where any alternative does.
    pub fn or(mut self, tokens: Vec<u32>) -> Self {
        self.alternatives.push(tokens);
        self
    }

    /// Sets what counts as an occurrence. All kinds but [`Matching::Tokens`] need a
    /// [vocabulary](crate::Generation::with_vocabulary).
    pub fn with_matching(mut self, matching: Matching) -> Self {
        self.matching = matching;
        self
    }

    /// Number of tokens of the shortest alternative.
    pub(crate) fn shortest(&self) -> usize {
        self.alternatives.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// Whether the phrase is a sequence of tokens, not of words.
    pub(crate) fn is_of_tokens(&self) -> bool {
        self.matching == Matching::Tokens
    }

    /// The texts of the alternatives, without spaces around them; empty for a phrase of tokens.
    pub(crate) fn words(&self, vocabulary: &Vocabulary) -> Vec<String> {
        let text = |tokens: &Vec<u32>| {
            let text = vocabulary.text_after_special(tokens);
            text.trim().to_owned()
        };
        match self.is_of_tokens() {
            true => Vec::new(),
            false => self.alternatives.iter().map(text).collect(),
        }
    }

    /// Whether the phrase occurs in `tokens` if nothing follows: a word at the end is whole. `words`
    /// are those of the phrase.
    pub(crate) fn is_in(&self, tokens: &[u32], words: &[String], vocabulary: &Vocabulary) -> bool {
        if self.is_of_tokens() {
            let has = |phrase: &Vec<u32>| tokens.windows(phrase.len()).any(|part| part == phrase);
            return self.alternatives.iter().any(has);
        }
        // A special token, such as the end, separates texts.
        let mut texts = tokens.split(|token| vocabulary.text(*token).is_none());
        texts.any(|tokens| {
            let text = vocabulary.text_after_special(tokens);
            words.iter().any(|word| self.has_word(&text, word))
        })
    }

    /// Whether the phrase occurs in `tokens` whatever follows.
    pub(crate) fn is_surely_in(&self, tokens: &[u32], vocabulary: &Vocabulary) -> bool {
        let words = self.words(vocabulary);
        if self.matching != Matching::WholeWords {
            return self.is_in(tokens, &words, vocabulary);
        }
        // A letter after it would make another word of a word at the end.
        let text = vocabulary.text_after_special(tokens) + "x";
        words.iter().any(|word| self.has_word(&text, word))
    }

    fn has_word(&self, text: &str, word: &str) -> bool {
        occurrences(text, word).any(|start| {
            let (before, rest) = text.split_at(start);
            let after = &rest[word.len()..];
            is_boundary(before, rest)
                && (self.matching == Matching::WordStarts || is_boundary(word, after))
        })
    }

    /// Checks the phrase against the model's vocabulary and, if it is of words, against the text of
    /// tokens. `place` says in errors what kind of phrase it is.
    pub(crate) fn validate(
        &self,
        place: &'static str,
        vocab_size: usize,
        vocabulary: Option<&Arc<Vocabulary>>,
    ) -> Result<(), ConfigError> {
        let malformed = |problem| Err(ConfigError::Malformed { place, problem });
        if self.alternatives.iter().any(Vec::is_empty) {
            return malformed("an alternative without tokens");
        }
        let mut tokens = self.alternatives.iter().flatten().copied();
        if let Some(token) = tokens.find(|token| *token as usize >= vocab_size) {
            return Err(ConfigError::UnknownToken {
                place,
                token,
                vocab_size,
            });
        }
        if self.is_of_tokens() {
            return Ok(());
        }
        let Some(vocabulary) = vocabulary else {
            return Err(ConfigError::NeedsVocabulary {
                place: "phrases of words",
            });
        };
        let mut tokens = self.alternatives.iter().flatten().copied();
        if let Some(token) = tokens.find(|token| vocabulary.text(*token).is_none()) {
            return Err(ConfigError::TokenWithoutText { place, token });
        }
        match self.words(vocabulary).iter().any(String::is_empty) {
            true => malformed("an alternative whose tokens have no text"),
            false => Ok(()),
        }
    }
}

/// The byte positions of all occurrences of a word in a text, including overlapping ones.
pub(crate) fn occurrences<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let positions = text.char_indices().map(|(position, _)| position);
    positions.filter(move |position| text[*position..].starts_with(word))
}

/// Whether there is a word boundary between two texts.
pub(crate) fn is_boundary(before: &str, after: &str) -> bool {
    let is_outside = |character: Option<char>| character.is_none_or(separates_words);
    is_outside(before.chars().next_back()) || is_outside(after.chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::DOGS;

    #[test]
    fn whole_words_are_found_however_they_are_divided() {
        let vocabulary = Vocabulary::new(DOGS);
        for (matching, tokens, expected) in [
            (Matching::Tokens, &[1, 2, 3][..], true),
            (Matching::Tokens, &[1, 7, 8, 4], false),
            (Matching::WholeWords, &[1, 2, 3], false),
            (Matching::WholeWords, &[1, 2, 4], true),
            (Matching::WholeWords, &[2, 9], true),
            (Matching::WholeWords, &[1, 7, 8, 9], true),
            (Matching::WholeWords, &[1, 7, 8, 3], false),
            (Matching::WholeWords, &[1, 2], true),
            (Matching::WholeWords, &[1, 2, 0], true),
            (Matching::WholeWords, &[5, 6], false),
            (Matching::WholeWords, &[7, 0, 8], false),
            (Matching::WordStarts, &[1, 2, 3], true),
            (Matching::WordStarts, &[5, 6], false),
        ] {
            let phrase = Phrase::new(vec![2]).with_matching(matching);
            let found = phrase.is_in(tokens, &phrase.words(&vocabulary), &vocabulary);
            assert_eq!(found, expected, "{matching:?} {tokens:?}");
        }
    }

    #[test]
    fn scripts_without_spaces_have_boundaries_everywhere() {
        let vocabulary = Vocabulary::new([Some("一只"), Some("狗"), Some("跑")]);
        let phrase = Phrase::new(vec![1]).with_matching(Matching::WholeWords);
        assert!(phrase.is_in(&[0, 1, 2], &phrase.words(&vocabulary), &vocabulary));
    }

    #[test]
    fn occurrences_may_overlap() {
        let found: Vec<usize> = occurrences("banana na na é", "na na").collect();
        assert_eq!(found, [4, 7]);
        assert_eq!(occurrences("aaé", "é").collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn any_alternative_does() {
        let phrase = Phrase::new(vec![2, 3]).or(vec![9]);
        assert!(phrase.is_in(&[1, 9], &[], &Vocabulary::default()));
        assert!(!phrase.is_in(&[3, 2], &[], &Vocabulary::default()));
        assert_eq!(phrase.shortest(), 1);
    }

    #[test]
    fn phrases_that_can_not_be_are_named() {
        let vocabulary = Arc::new(Vocabulary::new(DOGS));
        let words = |tokens| Phrase::new(tokens).with_matching(Matching::WholeWords);
        for (phrase, vocabulary, message) in [
            (Phrase::new(vec![]), None, "without tokens"),
            (Phrase::new(vec![12]), None, "token 12"),
            (words(vec![2]), None, "with_vocabulary"),
            (
                words(vec![0]),
                Some(&vocabulary),
                "token 0, which has no text",
            ),
            (words(vec![2, 0]), Some(&vocabulary), "token 0"),
        ] {
            let error = phrase
                .validate("a required phrase", 12, vocabulary)
                .unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
        assert!(
            words(vec![2])
                .validate("a required phrase", 12, Some(&vocabulary))
                .is_ok()
        );
    }
}
