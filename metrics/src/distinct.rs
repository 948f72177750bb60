use std::collections::{HashMap, HashSet};

/// Distinct-1 and distinct-2 of a corpus, from 0 to 1: of all words of all predictions, and of all pairs of neighbours, the
/// share that are different ones. A model that always writes the same caption is near 0. Larger corpora have lower
/// scores, so only those of equal size can be compared.
///
/// Source: Li et al. 2016, "A Diversity-Promoting Objective Function for Neural Conversation Models", with the number of
/// n-grams of each order as its denominator.
#[derive(Clone, Debug, Default)]
pub struct Distinct {
    /// The number of each word.
    words: HashMap<String, u32>,
    pairs: HashSet<[u32; 2]>,
    word_count: u64,
    pair_count: u64,
}

impl Distinct {
    /// Adds the tokens of a prediction.
    pub fn add<T: AsRef<str>>(&mut self, prediction: &[T]) {
        let mut before = None;
        for word in prediction {
            self.word_count += 1;
            let number = self.number(word.as_ref());
            if let Some(before) = before.replace(number) {
                self.pair_count += 1;
                self.pairs.insert([before, number]);
            }
        }
    }

    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.words.get(word) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.words.insert(word.to_owned(), number);
        number
    }

    /// Distinct-1 and distinct-2. Both are 0 for an empty corpus.
    pub fn score(&self) -> [f64; 2] {
        [
            self.words.len() as f64 / self.word_count.max(1) as f64,
            self.pairs.len() as f64 / self.pair_count.max(1) as f64,
        ]
    }
}
