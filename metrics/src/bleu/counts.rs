use std::collections::HashMap;
use std::hash::Hash;

/// The longest n-grams that are counted.
pub(crate) const ORDERS: usize = 4;

/// What BLEU counts in one text, or in the texts of a corpus together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// The n-grams of the prediction that a reference has too, each at most as often as the reference that has it most.
    pub(crate) matches: [u64; ORDERS],
    /// All n-grams of the prediction.
    pub(crate) totals: [u64; ORDERS],
    /// The tokens of the prediction.
    pub(crate) prediction: u64,
    /// The tokens of the reference whose length is closest; of two, the shorter.
    pub(crate) reference: u64,
}

impl Counts {
    /// Counts in one prediction and its references.
    pub(crate) fn of<T: Eq + Hash>(prediction: &[T], references: &[Vec<T>]) -> Self {
        let lengths = references.iter().map(Vec::len);
        let closest = lengths.min_by_key(|length| (length.abs_diff(prediction.len()), *length));
        let mut counts = Self {
            prediction: prediction.len() as u64,
            reference: closest.unwrap_or_default() as u64,
            ..Self::default()
        };
        for order in 1..=ORDERS {
            let found = ngrams(prediction, order);
            let mut most: HashMap<&[T], u64> = HashMap::new();
            for reference in references {
                for (ngram, count) in ngrams(reference, order) {
                    let most = most.entry(ngram).or_default();
                    *most = count.max(*most);
                }
            }
            let matches = found
                .iter()
                .map(|(ngram, count)| *count.min(most.get(ngram).unwrap_or(&0)));
            counts.matches[order - 1] = matches.sum();
            counts.totals[order - 1] = found.values().sum();
        }
        counts
    }

    /// Adds the counts of another text.
    pub(crate) fn add(&mut self, other: &Self) {
        for order in 0..ORDERS {
            self.matches[order] += other.matches[order];
            self.totals[order] += other.totals[order];
        }
        self.prediction += other.prediction;
        self.reference += other.reference;
    }
}

/// How often each n-gram of an order occurs.
pub(crate) fn ngrams<T: Eq + Hash>(tokens: &[T], order: usize) -> HashMap<&[T], u64> {
    let mut counts = HashMap::new();
    for ngram in tokens.windows(order) {
        *counts.entry(ngram).or_default() += 1;
    }
    counts
}
