use std::hash::Hash;

use super::counts::{Counts, ORDERS};
use crate::Error;

/// BLEU-1 to BLEU-4 of a corpus, from 0 to 1, as NLTK's `corpus_bleu` with equal weights and no smoothing. On the tokens
/// of [`WordTokenizer`](crate::WordTokenizer), these are the numbers of the model card's table.
///
/// BLEU-n is the geometric mean of the precisions of 1-grams to n-grams, times a penalty if the predictions together
/// are shorter than their references. Three habits of NLTK's belong to the definition: a prediction without any n-grams
/// of an order counts as one n-gram that is wrong; an order without a single match has the precision 2.2e-308, so the
/// score is tiny and not 0; and without a match of one word, all four scores are 0.
///
/// ```
/// let mut bleu = metrics::WordBleu::default();
/// bleu.add(&["a", "red", "ball"], &[vec!["a", "red", "ball", "rolls"]])?;
/// let [bleu_1, ..] = bleu.score();
/// assert!((bleu_1 - (1.0f64 - 4.0 / 3.0).exp()).abs() < 1e-12);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// Source: `nltk.translate.bleu_score.corpus_bleu`, NLTK 3.10.
#[derive(Clone, Debug, Default)]
pub struct WordBleu {
    counts: Counts,
    /// The totals, where a prediction without n-grams counts as one.
    denominators: [u64; ORDERS],
}

impl WordBleu {
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
        self.add_counts(&Counts::of(prediction, references));
        Ok(())
    }

    pub(crate) fn add_counts(&mut self, counts: &Counts) {
        self.counts.add(counts);
        for (sum, total) in self.denominators.iter_mut().zip(counts.totals) {
            *sum += total.max(1);
        }
    }

    /// BLEU-1, BLEU-2, BLEU-3, BLEU-4. All are 0 for an empty corpus.
    pub fn score(&self) -> [f64; 4] {
        let counts = &self.counts;
        if counts.matches[0] == 0 {
            return [0.0; ORDERS];
        }
        let (prediction, reference) = (counts.prediction as f64, counts.reference as f64);
        let penalty = match counts.prediction > counts.reference {
            true => 1.0,
            false => (1.0 - reference / prediction).exp(),
        };
        let log_precision = |order: usize| match counts.matches[order] {
            0 => f64::MIN_POSITIVE.ln(),
            matches => (matches as f64 / self.denominators[order] as f64).ln(),
        };
        std::array::from_fn(|last| {
            let sum: f64 = (0..=last).map(log_precision).sum();
            penalty * (sum / (last + 1) as f64).exp()
        })
    }
}
