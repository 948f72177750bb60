use super::forbid;
use crate::LogitsProcessor;

/// Forbids sequences of tokens: the last token of each where the row ends with the others.
///
/// Hugging Face: `NoBadWordsLogitsProcessor`, which never forbids an end token alone.
#[derive(Clone, Debug)]
pub(super) struct BadWords {
    words: Vec<Vec<u32>>,
}

impl BadWords {
    /// Forbids each word, a sequence of tokens, unless it is a single end token.
    pub(super) fn new(words: &[Vec<u32>], eos_token_id: &[u32]) -> Self {
        let is_end = |word: &[u32]| matches!(word, [token] if eos_token_id.contains(token));
        let words = words.iter().filter(|word| !is_end(word)).cloned();
        Self {
            words: words.collect(),
        }
    }
}

impl LogitsProcessor for BadWords {
    fn process(&self, tokens: &[u32], scores: &mut [f32]) {
        for word in &self.words {
            if let Some((last, start)) = word.split_last()
                && tokens.ends_with(start)
            {
                forbid(&[*last], scores);
            }
        }
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
