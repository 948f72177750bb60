use std::collections::HashMap;
use std::sync::Arc;

use super::{BadWords, forbid};
use crate::options::Options;
use crate::phrase::{is_boundary, occurrences};
use crate::stopping::StoppingCriteria;
use crate::vocabulary::separates_words;
use crate::{LogitsProcessor, Matching, Phrase, Prompt, Vocabulary};

/// Keeps a phrase out of a text.
///
/// Words are found however they are divided into tokens. Once a text ends with the whole phrase, it
/// can only go on with a token that makes another word of it; where a [word's start](Matching) is
/// enough, no token completes the phrase. (Hugging Face's bad words are one sequence of tokens each,
/// so a search finds another for the same word.)
///
/// A text that is cut short by a time limit or an observer may end with the phrase, as its last
/// token was chosen before that was known.
struct ForbiddenPhrase {
    phrase: Arc<CompiledPhrase>,
    /// The text can't go on where it has this many tokens, prompt included, ...
    max_length: usize,
    /// ... or is complete by these criteria.
    stopping: StoppingCriteria,
}

/// A phrase with the tokens of a vocabulary that complete it. Making it goes through the whole
/// vocabulary.
struct CompiledPhrase {
    tokens: BadWords,
    words: Vec<Word>,
    vocabulary: Arc<Vocabulary>,
}

/// A phrase as text, and the tokens that would complete it.
struct Word {
    text: String,
    /// Whether a letter after the phrase makes another word of it.
    may_go_on: bool,
    /// Tokens that have the phrase inside, after a boundary of their own.
    inside: Completing,
    /// For each beginning of the phrase, its length in bytes and the tokens that complete the phrase
    /// after a text that ends with it. The first is empty: the token has to begin with the phrase.
    beginnings: Vec<(usize, Completing)>,
}

/// Tokens that complete a phrase.
#[derive(Clone, Default)]
struct Completing {
    /// They complete it whatever follows.
    surely: Vec<u32>,
    /// They complete it unless the next token continues the word.
    perhaps: Vec<u32>,
}

/// The processors of forbidden phrases. Prompts with the same phrase share its compiled form.
#[derive(Default)]
pub(crate) struct ForbiddenPhrases(HashMap<Phrase, Arc<CompiledPhrase>>);

impl ForbiddenPhrases {
    /// A processor for each forbidden phrase of a prompt.
    pub(crate) fn processors(
        &mut self,
        prompt: &Prompt,
        options: &Options<'_>,
        stopping: &StoppingCriteria,
    ) -> Vec<Arc<dyn LogitsProcessor>> {
        let config = options.config;
        // Where the last token is forced, a word has to be over before it.
        let forced = usize::from(!config.forced_eos_token_id.is_empty());
        let max_length = config.longest(prompt.tokens.len()).saturating_sub(forced);
        let processor = |phrase: &Phrase| {
            Arc::new(ForbiddenPhrase {
                phrase: self.compiled(phrase, options.vocabulary),
                max_length,
                stopping: stopping.clone(),
            }) as Arc<dyn LogitsProcessor>
        };
        prompt.forbidden.iter().map(processor).collect()
    }

    fn compiled(
        &mut self,
        phrase: &Phrase,
        vocabulary: Option<&Arc<Vocabulary>>,
    ) -> Arc<CompiledPhrase> {
        if let Some(compiled) = self.0.get(phrase) {
            return Arc::clone(compiled);
        }
        let vocabulary = vocabulary.cloned().unwrap_or_default();
        let compiled = Arc::new(CompiledPhrase::new(phrase, vocabulary));
        self.0.insert(phrase.clone(), Arc::clone(&compiled));
        compiled
    }
}

impl ForbiddenPhrase {
    /// Forbids tokens that complete the phrase after `tokens`.
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

impl CompiledPhrase {
    fn new(phrase: &Phrase, vocabulary: Arc<Vocabulary>) -> Self {
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
        }
    }
}

impl Word {
    fn new(text: String, matching: Matching, vocabulary: &Vocabulary) -> Self {
        let ends_itself = text.chars().next_back().is_none_or(separates_words);
        let may_go_on = matching == Matching::WholeWords && !ends_itself;
        let mut inside = Completing::default();
        let starts = text.char_indices().map(|(bytes, _)| bytes);
        let mut beginnings: Vec<(usize, Completing)> =
            starts.map(|bytes| (bytes, Completing::default())).collect();
        // A vocabulary is large, so what most tokens can't have is looked at first.
        let mut may_begin = [false; 256];
        for (bytes, _) in &beginnings {
            may_begin[usize::from(text.as_bytes()[*bytes])] = true;
        }
        let texts = (0..).zip(vocabulary.texts());
        for (token, added) in texts.filter_map(|(token, added)| Some((token, added?))) {
            let may_have = added.len() > text.len() && added.contains(text.as_str());
            let starts = added
                .bytes()
                .next()
                .is_some_and(|first| may_begin[usize::from(first)]);
            if !(may_have || starts) {
                continue;
            }
            for start in occurrences(added, &text).filter(|start| *start > 0) {
                if is_boundary(&added[..start], &text) {
                    inside.add(token, &added[start + text.len()..], may_go_on);
                }
            }
            for (bytes, completing) in &mut beginnings {
                if let Some(after) = added.strip_prefix(&text[*bytes..]) {
                    completing.add(token, after, may_go_on);
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
    /// Adds a token that has the text `after` after the phrase.
    fn add(&mut self, token: u32, after: &str, may_go_on: bool) {
        match after.chars().next() {
            None if may_go_on => self.perhaps.push(token),
            Some(next) if may_go_on && !separates_words(next) => {}
            _ => self.surely.push(token),
        }
    }
}

impl LogitsProcessor for ForbiddenPhrase {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        let phrase = self.phrase.as_ref();
        phrase.tokens.process(tokens, scores);
        if phrase.words.is_empty() {
            return;
        }
        let so_far = phrase.vocabulary.text_after_special(tokens);
        for word in &phrase.words {
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
                forbid(phrase.vocabulary.ending_words(), scores);
                // Tokens beyond the vocabulary add no letter either.
                if let Some(beyond) = scores.get_mut(phrase.vocabulary.len()..) {
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

    fn processor(phrase: &Phrase, vocabulary: Vocabulary, max_length: usize) -> ForbiddenPhrase {
        ForbiddenPhrase {
            phrase: Arc::new(CompiledPhrase::new(phrase, Arc::new(vocabulary))),
            max_length,
            stopping: StoppingCriteria::new(Vec::new()),
        }
    }

    fn forbidden(matching: Matching, tokens: &[u32], max_length: usize) -> Vec<usize> {
        let phrase = Phrase::new(vec![2]).with_matching(matching);
        let processor = processor(&phrase, Vocabulary::new(DOGS), max_length);
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
        let vocabulary = Vocabulary::new([Some(" dog")].into_iter().chain(texts));
        let phrase = Phrase::new(vec![0]).with_matching(Matching::WholeWords);
        let processor = processor(&phrase, vocabulary, 99);
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
        let vocabulary = Vocabulary::new(texts);
        let phrase = Phrase::new(vec![2]).with_matching(Matching::WholeWords);
        let processor = processor(&phrase, vocabulary, 99);
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
