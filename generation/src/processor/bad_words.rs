use super::endings::Endings;
use super::forbid;
use crate::LogitsProcessor;
use crate::config::different;

/// Forbids sequences of tokens: the last token of each where the row ends with the others.
///
/// Hugging Face: `NoBadWordsLogitsProcessor`, which never forbids an end token alone.
#[derive(Clone, Debug)]
pub(super) struct BadWords {
    words: Endings<()>,
}

impl BadWords {
    /// Forbids each word, a sequence of tokens, unless it is a single end token.
    pub(super) fn new(words: &[Vec<u32>], eos_token_id: &[u32]) -> Self {
        let ends = different(eos_token_id);
        let is_end = |word: &[u32]| matches!(word, [token] if ends.binary_search(token).is_ok());
        let words = words.iter().map(Vec::as_slice).filter(|word| !is_end(word));
        Self {
            words: Endings::new(words.map(|word| (word, ()))),
        }
    }
}

impl LogitsProcessor for BadWords {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        self.words
            .for_each(tokens, |last, ()| forbid(&[last], scores));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_forbidden_at_its_last_token() {
        let words = [vec![1], vec![2, 3], vec![4]];
        let processor = BadWords::new(&words, &[4]);
        let mut scores = [0.5; 5];
        processor.process(&[0, 2], &mut scores);
        assert_eq!(
            scores,
            [0.5, f32::NEG_INFINITY, 0.5, f32::NEG_INFINITY, 0.5]
        );
        let mut scores = [0.5; 5];
        processor.process(&[2, 0], &mut scores);
        assert_eq!(scores, [0.5, f32::NEG_INFINITY, 0.5, 0.5, 0.5]);
    }
}
