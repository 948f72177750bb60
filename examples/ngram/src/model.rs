//! A language model that is a table of counts: which word followed which two.

use std::collections::HashMap;
use std::convert::Infallible;

use generation::{StepModel, TokenBatch};

/// Begins and ends every sentence.
pub(crate) const END: u32 = 0;

/// Words, and how often each followed the two, one or zero words before it.
pub(crate) struct NGrams {
    words: Vec<String>,
    counts: HashMap<Vec<u32>, HashMap<u32, f32>>,
}

/// Number of words before a word that its count depends on.
const CONTEXT: usize = 2;

/// The weight of a context relative to one that is a word longer.
const BACK_OFF: f32 = 0.1;

impl NGrams {
    /// Counts the words of a text with one sentence per line.
    pub(crate) fn count(text: &str) -> Self {
        let mut ids: HashMap<&str, u32> = HashMap::new();
        let mut words = vec![String::new()];
        let mut counts: HashMap<Vec<u32>, HashMap<u32, f32>> = HashMap::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let mut sentence = vec![END];
            for word in line.split_whitespace() {
                sentence.push(*ids.entry(word).or_insert_with(|| {
                    words.push(word.to_owned());
                    words.len() as u32 - 1
                }));
            }
            sentence.push(END);
            for place in 1..sentence.len() {
                for context in place.saturating_sub(CONTEXT)..=place {
                    let context = sentence[context..place].to_vec();
                    *counts
                        .entry(context)
                        .or_default()
                        .entry(sentence[place])
                        .or_default() += 1.0;
                }
            }
        }
        Self { words, counts }
    }

    /// The ids of words, if all are known.
    pub(crate) fn ids(&self, words: &str) -> Option<Vec<u32>> {
        let id = |word: &str| self.words.iter().position(|known| known == word);
        let ids = words.split_whitespace().map(|word| Some(id(word)? as u32));
        ids.collect()
    }

    /// The text of ids.
    pub(crate) fn text(&self, ids: &[u32]) -> String {
        let words: Vec<&str> = ids
            .iter()
            .map(|id| self.words[*id as usize].as_str())
            .collect();
        words.join(" ").trim().to_owned()
    }

    /// The text of each token, for stop strings and required words.
    pub(crate) fn token_texts(&self) -> impl Iterator<Item = Option<String>> {
        let text = |word: &String| (!word.is_empty()).then(|| format!(" {word}"));
        self.words.iter().map(text)
    }

    /// The logits of the word after a text.
    fn logits(&self, text: &[u32], logits: &mut [f32]) {
        let mut weights = vec![0.0; logits.len()];
        let mut share = 1.0;
        for length in (0..=CONTEXT.min(text.len())).rev() {
            let context = &text[text.len() - length..];
            let Some(counts) = self.counts.get(context) else {
                continue;
            };
            let sum: f32 = counts.values().sum();
            for (word, count) in counts {
                weights[*word as usize] += share * count / sum;
            }
            share *= BACK_OFF;
        }
        for (logit, weight) in logits.iter_mut().zip(weights) {
            *logit = weight.ln(); // minus infinity for a word that never occurred
        }
    }
}

impl StepModel for NGrams {
    /// The words of each row.
    type State = Vec<Vec<u32>>;
    type Error = Infallible;

    fn vocab_size(&self) -> usize {
        self.words.len()
    }

    fn step(&self, tokens: TokenBatch<'_>, rows: &mut Self::State) -> Result<Vec<f32>, Infallible> {
        let vocabulary = self.vocab_size();
        let mut logits = vec![0.0; tokens.rows() * vocabulary];
        let new = tokens.ids().chunks(tokens.new_tokens());
        for ((row, new), logits) in rows.iter_mut().zip(new).zip(logits.chunks_mut(vocabulary)) {
            row.extend(new);
            self.logits(row, logits);
        }
        Ok(logits)
    }

    fn select_rows(&self, rows: &mut Self::State, parents: &[usize]) -> Result<(), Infallible> {
        *rows = parents.iter().map(|parent| rows[*parent].clone()).collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_as_likely_as_it_was_frequent() {
        let model = NGrams::count("a dog runs\na dog sleeps\na dog runs\n\na cat runs");
        let text = model.ids("a dog").unwrap();
        let mut logits = vec![0.0; model.vocab_size()];
        model.logits(&text, &mut logits);
        let weight = |word| logits[model.ids(word).unwrap()[0] as usize].exp();
        assert!(weight("runs") > 1.9 * weight("sleeps"), "{logits:?}");
        assert!(weight("sleeps") > 3.0 * weight("cat"));
        assert!(model.ids("a bird").is_none());
    }
}
