use std::hash::Hash;

use super::counts::{Counts, ORDERS};
use crate::Error;

/// The average of BLEU-1 to BLEU-4 over batches of a corpus, from 0 to 1: how the published model was evaluated, with
/// batches of 512 captions in the order of its data.
///
/// An average over batches is not the score of the corpus, and depends on the order, so it is for comparisons with the
/// published table only; [`WordBleu`](crate::WordBleu) is the score to report. The score of a batch is that of Google's
/// `compute_bleu`, which is behind the metric `bleu` of Hugging Face's `datasets` that the original used: it is 0 where
/// an order has no match, while NLTK's is tiny. The last batch counts as much as the others, even if it is smaller. A
/// batch in which all predictions are empty counts as 0; the original's program fails there.
///
/// Source: `evaluation.py` of the original, `compute_bleu` of tensorflow/nmt.
#[derive(Clone, Debug)]
pub struct BatchBleu {
    batch_size: usize,
    batch: Counts,
    in_batch: usize,
    sums: [f64; ORDERS],
    batches: usize,
}

impl BatchBleu {
    /// Averages over batches of this many predictions; of 1 if it is 0.
    pub fn new(batch_size: usize) -> Self {
        Self {
            batch_size: batch_size.max(1),
            batch: Counts::default(),
            in_batch: 0,
            sums: [0.0; ORDERS],
            batches: 0,
        }
    }

    /// Adds the tokens of a prediction and of its references.
    ///
    /// # Errors
    /// [`Error::NoReference`] if there is no reference.
    pub fn add<T: Eq + Hash>(
        &mut self,
        prediction: &[T],
        references: &[Vec<T>],
    ) -> Result<(), Error> {
        if references.is_empty() {
            return Err(Error::NoReference);
        }
        // Google's takes the shortest reference, others the closest.
        let shortest = references.iter().map(Vec::len).min().unwrap_or_default();
        let counts = Counts::of(prediction, references);
        self.add_counts(&Counts {
            reference: shortest as u64,
            ..counts
        });
        Ok(())
    }

    pub(crate) fn add_counts(&mut self, counts: &Counts) {
        self.batch.add(counts);
        self.in_batch += 1;
        if self.in_batch == self.batch_size {
            (self.sums, self.batches) = self.with_last();
            self.batch = Counts::default();
            self.in_batch = 0;
        }
    }

    /// The averages of BLEU-1, BLEU-2, BLEU-3, BLEU-4. All are 0 for an empty corpus.
    pub fn score(&self) -> [f64; 4] {
        let (sums, batches) = match self.in_batch {
            0 => (self.sums, self.batches),
            _ => self.with_last(),
        };
        sums.map(|sum| sum / batches.max(1) as f64)
    }

    /// The sums and their number with those of the batch that is being filled.
    fn with_last(&self) -> ([f64; ORDERS], usize) {
        let scores = score(&self.batch);
        let sums = std::array::from_fn(|order| self.sums[order] + scores[order]);
        (sums, self.batches + 1)
    }
}

fn score(counts: &Counts) -> [f64; ORDERS] {
    let ratio = counts.prediction as f64 / counts.reference as f64;
    let penalty = match ratio > 1.0 {
        true => 1.0,
        false => (1.0 - 1.0 / ratio).exp(),
    };
    std::array::from_fn(|last| {
        let orders = 0..=last;
        if orders.clone().any(|order| counts.matches[order] == 0) {
            return 0.0;
        }
        let precision = |order: usize| counts.matches[order] as f64 / counts.totals[order] as f64;
        let sum: f64 = orders.map(|order| precision(order).ln()).sum();
        penalty * (sum / (last + 1) as f64).exp()
    })
}
