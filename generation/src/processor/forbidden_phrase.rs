use std::fmt;
use std::sync::Arc;

use super::{BadWords, forbid};
use crate::phrase::{is_boundary, occurrences};
use crate::stopping::StoppingCriteria;
use crate::vocabulary::separates_words;
use crate::{LogitsProcessor, Matching, Phrase, Vocabulary};

/// Keeps a phrase out of a text.
///
/// Words are found however they are divided into tokens: once a text ends with the whole phrase, it
/// can only go on with what makes another word of it; and where a [word's start](Matching) is
/// enough, no token completes the phrase. (Hugging Face's bad words are one sequence of tokens
/// each, and a search finds another for the same word.)
///
/// A text that is ended from outside, by time or by who watches, may end with the phrase, as nobody
/// knew before that it would not go on.
#[derive(Clone)]
pub struct ForbiddenPhrase {
    tokens: BadWords,
    words: Vec<Word>,
    vocabulary: Arc<Vocabulary>,
    max_length: usize,
    stopping: StoppingCriteria,
}

/// A phrase as text, and the tokens that would complete it.
#[derive(Clone, Debug)]
struct Word {
    text: String,
    /// Whether a letter behind the phrase makes another word of it.
    may_go_on: bool,
    /// Tokens that have the phrase inside, behind a boundary of their own.
    inside: Completing,
    /// Of each beginning of the phrase, as many bytes, what completes it behind a text that ends
    /// with that; first of none, where a token has to begin with the phrase.
    beginnings: Vec<(usize, Completing)>,
}

/// Tokens that complete a phrase.
#[derive(Clone, Debug, Default)]
struct Completing {
    /// The phrase is there then.
    surely: Vec<u32>,
    /// It is, unless the word goes on with the next token.
    perhaps: Vec<u32>,
}

impl ForbiddenPhrase {
    /// Where a text is complete by `stopping`, or has `max_length` tokens, prompt included, a word
    /// can't go on.
    pub fn new(
        phrase: &Phrase,
        vocabulary: Arc<Vocabulary>,
        max_length: usize,
        stopping: StoppingCriteria,
    ) -> Self {
        let tokens = match phrase.is_of_tokens() {
            true => phrase.alternatives.as_slice(),
            false => &[],
        };
        let words = phrase.words(&vocabulary).into_iter();
        Self {
            tokens: BadWords::new(tokens, &[]),
            words: words
                .map(|text| Word::new(text, phrase.matching, &vocabulary))
                .collect(),
            vocabulary,
            max_length,
            stopping,
        }
    }

    /// Forbids what completes a phrase behind the tokens.
    fn forbid(&self, completing: &Completing, tokens: &[u32], scores: &mut [f32]) {
        forbid(&completing.surely, scores);
        let is_last = tokens.len() + 1 >= self.max_length;
        for token in &completing.perhaps {
            if is_last || self.stopping.is_complete(&[tokens, &[*token]].concat()) {
                forbid(&[*token], scores);
            }
        }
    }
}

impl fmt::Debug for ForbiddenPhrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        formatter
            .debug_struct("ForbiddenPhrase")
            .field("tokens", &self.tokens)
            .field("words", &words)
            .finish_non_exhaustive()
    }
}

impl Word {
    fn new(text: String, matching: Matching, vocabulary: &Vocabulary) -> Self {
        let ends_itself = text.chars().next_back().is_none_or(separates_words);
        let may_go_on = matching == Matching::WholeWords && !ends_itself;
        let mut inside = Completing::default();
        let places = text.char_indices().map(|(bytes, _)| bytes);
        let mut beginnings: Vec<(usize, Completing)> =
            places.map(|bytes| (bytes, Completing::default())).collect();
        let texts = (0..).zip(vocabulary.texts());
        for (token, added) in texts.filter_map(|(token, added)| Some((token, added?))) {
            for place in occurrences(added, &text).filter(|place| *place > 0) {
                if is_boundary(&added[..place], &text) {
                    inside.take(token, &added[place + text.len()..], may_go_on);
                }
            }
            for (bytes, completing) in &mut beginnings {
                if let Some(behind) = added.strip_prefix(&text[*bytes..]) {
                    completing.take(token, behind, may_go_on);
                }
            }
        }
        Self {
            text,
            may_go_on,
            inside,
            beginnings,
        }
    }
}

impl Completing {
    /// Takes a token in that has `behind` behind the phrase.
    fn take(&mut self, token: u32, behind: &str, may_go_on: bool) {
        match behind.chars().next() {
            None if may_go_on => self.perhaps.push(token),
            Some(next) if may_go_on && !separates_words(next) => {}
            _ => self.surely.push(token),
        }
    }
}

impl LogitsProcessor for ForbiddenPhrase {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        self.tokens.process(tokens, scores);
        if self.words.is_empty() {
            return;
        }
        let so_far = self.vocabulary.text_behind_special(tokens);
        for word in &self.words {
            self.forbid(&word.inside, tokens, scores);
            // Where the text so far ends with a beginning of the phrase.
            let begins = |bytes: usize| {
                let before = so_far.strip_suffix(&word.text[..bytes]);
                before.is_some_and(|before| is_boundary(before, &word.text))
            };
            for (bytes, completing) in &word.beginnings {
                if begins(*bytes) {
                    self.forbid(completing, tokens, scores);
                }
            }
            if word.may_go_on && begins(word.text.len()) {
                forbid(self.vocabulary.ending_words(), scores);
                // What has no text at all adds no letter.
                if let Some(beyond) = scores.get_mut(self.vocabulary.len()..) {
                    beyond.fill(f32::NEG_INFINITY);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::DOGS;

    fn never() -> StoppingCriteria {
        StoppingCriteria::new(Vec::new())
    }

    fn forbidden(matching: Matching, tokens: &[u32], max_length: usize) -> Vec<usize> {
        let vocabulary = Arc::new(Vocabulary::new(DOGS));
        let phrase = Phrase::new(vec![2]).with_matching(matching);
        let processor = ForbiddenPhrase::new(&phrase, vocabulary, max_length, never());
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
    fn a_token_may_have_the_phrase_more_than_once_or_begin_with_another_word() {
        let texts = [
            None,
            Some(" dogma-dog."),
            Some(" dogs, dog,"),
            Some(" dogs"),
            Some("dogdog dog"),
        ];
        let vocabulary = Arc::new(Vocabulary::new([Some(" dog")].into_iter().chain(texts)));
        let phrase = Phrase::new(vec![0]).with_matching(Matching::WholeWords);
        let processor = ForbiddenPhrase::new(&phrase, vocabulary, 99, never());
        // One token more than there are texts.
        let forbidden = |tokens: &[u32]| {
            let mut scores = [0.5; 7];
            processor.process(tokens, &mut scores);
            (0..7)
                .filter(|token| scores[*token] < 0.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(forbidden(&[1]), [2, 3]);
        assert_eq!(forbidden(&[1, 0]), [0, 1, 2, 3, 4, 6]);
    }

    #[test]
    fn scripts_without_spaces_are_completed_at_once_and_then_go_on() {
        let texts = [None, Some("一只"), Some("狗"), Some("跑")];
        let vocabulary = Arc::new(Vocabulary::new(texts));
        let phrase = Phrase::new(vec![2]).with_matching(Matching::WholeWords);
        let processor = ForbiddenPhrase::new(&phrase, vocabulary, 99, never());
        // What a prompt has of it is not to be mended.
        for tokens in [&[0, 1][..], &[0, 1, 2]] {
            let mut scores = [0.5; 4];
            processor.process(tokens, &mut scores);
            assert_eq!(scores, [0.5, 0.5, f32::NEG_INFINITY, 0.5]);
        }
    }

    #[test]
    fn tokens_alone_are_bad_words() {
        assert_eq!(forbidden(Matching::Tokens, &[0, 1], 99), [2]);
    }
}
