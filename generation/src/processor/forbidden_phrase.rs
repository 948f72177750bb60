use std::sync::Arc;

use super::{BadWords, forbid};
use crate::phrase::is_boundary;
use crate::vocabulary::separates_words;
use crate::{LogitsProcessor, Matching, Phrase, Vocabulary};

/// Keeps a phrase out of a text.
///
/// Words are found however they are divided into tokens: once a text ends with the whole phrase, it
/// can only go on with what makes another word of it; and where a [word's start](Matching) is
/// enough, no token completes the phrase. (Hugging Face's bad words are one sequence of tokens
/// each, and a search finds another for the same word.)
#[derive(Clone, Debug)]
pub struct ForbiddenPhrase {
    tokens: BadWords,
    words: Vec<Word>,
    vocabulary: Arc<Vocabulary>,
    max_length: usize,
}

/// A phrase as text, and the tokens that would complete it.
#[derive(Clone, Debug)]
struct Word {
    text: String,
    /// Beginnings of the phrase: how many bytes a text may end with, and what completes it then.
    beginnings: Vec<Beginning>,
}

#[derive(Clone, Debug)]
struct Beginning {
    bytes: usize,
    /// Tokens that complete the phrase and show that the word ends there, or that need not.
    completing: Vec<u32>,
    /// Tokens that complete the phrase and leave open whether the word goes on.
    open: Vec<u32>,
}

impl ForbiddenPhrase {
    /// `max_length` is the longest text, prompt included: there a word can't go on.
    pub fn new(phrase: &Phrase, vocabulary: Arc<Vocabulary>, max_length: usize) -> Self {
        let tokens = match phrase.matching {
            Matching::Tokens => BadWords::new(&phrase.alternatives, &[]),
            _ => BadWords::new(&[], &[]),
        };
        let words = match phrase.matching {
            Matching::Tokens => Vec::new(),
            matching => phrase
                .words(&vocabulary)
                .map(|text| Word::new(text, matching, &vocabulary))
                .collect(),
        };
        Self {
            tokens,
            words,
            vocabulary,
            max_length,
        }
    }
}

impl Word {
    fn new(text: String, matching: Matching, vocabulary: &Vocabulary) -> Self {
        let ends = text.char_indices().map(|(place, _)| place);
        let mut beginnings: Vec<Beginning> = ends
            .map(|bytes| Beginning::new(&text, bytes, matching, vocabulary))
            .collect();
        if matching == Matching::WholeWords {
            beginnings.push(Beginning::whole(&text, vocabulary));
        }
        Self { text, beginnings }
    }
}

impl Beginning {
    fn new(text: &str, bytes: usize, matching: Matching, vocabulary: &Vocabulary) -> Self {
        let rest = &text[bytes..];
        let mut beginning = Self {
            bytes,
            completing: Vec::new(),
            open: Vec::new(),
        };
        for (token, added) in (0..).zip(vocabulary.texts()) {
            let Some(behind) = added.and_then(|added| behind_phrase(added, rest, bytes == 0))
            else {
                continue;
            };
            let last = text.chars().next_back();
            let ends = last.is_none_or(separates_words);
            match behind.chars().next() {
                _ if matching == Matching::WordStarts || ends => beginning.completing.push(token),
                Some(next) if separates_words(next) => beginning.completing.push(token),
                Some(_) => {}
                None => beginning.open.push(token),
            }
        }
        beginning
    }

    /// Of the whole phrase: the tokens that do not continue its last word.
    fn whole(text: &str, vocabulary: &Vocabulary) -> Self {
        let ends_word = |added: Option<&str>| match added.map(|added| added.chars().next()) {
            Some(Some(next)) => separates_words(next),
            Some(None) => false,
            None => true, // special
        };
        let tokens = (0..).zip(vocabulary.texts());
        Self {
            bytes: text.len(),
            completing: tokens
                .filter(|(_, added)| ends_word(*added))
                .map(|(token, _)| token)
                .collect(),
            open: Vec::new(),
        }
    }
}

/// What a token adds behind the rest of a phrase, if it begins with that. At the phrase's beginning
/// the token may begin with what stands before a word.
fn behind_phrase<'t>(added: &'t str, rest: &str, is_beginning: bool) -> Option<&'t str> {
    if !is_beginning {
        return added.strip_prefix(rest);
    }
    added.match_indices(rest).find_map(|(place, _)| {
        let before = &added[..place];
        // At the token's own start the text before it decides, which is asked later.
        (place == 0 || is_boundary(before, rest)).then(|| &added[place + rest.len()..])
    })
}

impl LogitsProcessor for ForbiddenPhrase {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        self.tokens.process(tokens, scores);
        if self.words.is_empty() {
            return;
        }
        let so_far = self.vocabulary.text_behind_special(tokens);
        let is_last = tokens.len() + 1 >= self.max_length;
        for word in &self.words {
            for beginning in &word.beginnings {
                let Some(before) = so_far.strip_suffix(&word.text[..beginning.bytes]) else {
                    continue;
                };
                let is_at_start = beginning.bytes == 0;
                let begins = is_boundary(before, &word.text);
                let forbid_those = |tokens: &[u32], scores: &mut [f32]| match begins {
                    true => forbid(tokens, scores),
                    // Only tokens that begin a word themselves.
                    false if is_at_start => {
                        let inside = tokens.iter().copied().filter(|token| {
                            let added = self.vocabulary.text(*token);
                            added.is_some_and(|added| !added.starts_with(&word.text))
                        });
                        forbid(&inside.collect::<Vec<_>>(), scores);
                    }
                    false => {}
                };
                forbid_those(&beginning.completing, scores);
                if is_last {
                    forbid_those(&beginning.open, scores);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [Option<&str>; 12] = [
        None,
        Some(" a"),
        Some(" dog"),
        Some("ma"),
        Some("."),
        Some(" hot"),
        Some("dog"),
        Some(" d"),
        Some("og"),
        Some(" runs"),
        Some("ogs"),
        Some(" dog."),
    ];

    fn forbidden(matching: Matching, tokens: &[u32], max_length: usize) -> Vec<usize> {
        let vocabulary = Arc::new(Vocabulary::new(TEXTS));
        let phrase = Phrase::new(vec![2]).with_matching(matching);
        let processor = ForbiddenPhrase::new(&phrase, vocabulary, max_length);
        let mut scores = [0.5; 12];
        processor.process(tokens, &mut scores);
        (0..12).filter(|token| scores[*token] < 0.0).collect()
    }

    #[test]
    fn a_whole_word_can_only_become_another_word() {
        let whole = |tokens: &[u32]| forbidden(Matching::WholeWords, tokens, 99);
        assert_eq!(whole(&[0, 1]), [11]);
        assert_eq!(whole(&[0]), [11]);
        let not_continuing = [0, 1, 2, 4, 5, 7, 9, 11];
        assert_eq!(whole(&[0, 1, 2]), not_continuing);
        assert_eq!(whole(&[0, 1, 7, 8]), not_continuing);
        assert_eq!(whole(&[0, 1, 2, 3]), [11]);
        assert_eq!(whole(&[0, 5, 6]), [11], "hotdog is another word");
        assert_eq!(whole(&[2, 0]), [11], "of another text");
    }

    #[test]
    fn a_word_that_can_not_go_on_is_not_begun() {
        assert_eq!(
            forbidden(Matching::WholeWords, &[0, 1, 9], 4),
            [2, 11],
            "the last token may be no dog"
        );
        assert_eq!(forbidden(Matching::WholeWords, &[0, 1, 7], 4), [2, 8, 11]);
    }

    #[test]
    fn a_words_start_is_never_completed() {
        let start = |tokens: &[u32]| forbidden(Matching::WordStarts, tokens, 99);
        assert_eq!(start(&[0, 1]), [2, 11]);
        assert_eq!(start(&[0]), [2, 6, 11]);
        assert_eq!(start(&[0, 1, 7]), [2, 8, 10, 11]);
    }

    #[test]
    fn tokens_alone_are_bad_words() {
        assert_eq!(forbidden(Matching::Tokens, &[0, 1], 99), [2]);
    }
}
