use crate::bleu::ngrams;
use crate::python::is_space;
use crate::{Error, limits};

/// The longest n-grams of characters.
const ORDERS: usize = 6;

/// How many times as much recall counts as precision.
const BETA: f64 = 2.0;

/// chrF of a corpus, from 0 to 100: how far the n-grams of characters agree, up to six characters without white space, with
/// recall counting twice as much as precision (chrF2). Of several references, the best of each prediction counts.
///
/// ```
/// let mut chrf = metrics::Chrf::default();
/// chrf.add("Hund auf rotem Hintergrund", &["Hunde auf rotem Hintergrund"])?;
/// assert!((chrf.score() - 84.64).abs() < 0.01);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// Source: Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation"; `CHRF` of sacreBLEU 2.6 with its
/// defaults, `nc:6|nw:0|space:no|eff:yes`.
#[derive(Clone, Debug, Default)]
pub struct Chrf {
    counts: [Counts; ORDERS],
}

/// The n-grams of an order.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    prediction: u64,
    reference: u64,
    matches: u64,
}

impl Chrf {
    /// Adds a prediction and its references.
    ///
    /// # Errors
    /// [`Error::NoReference`] if there is no reference, [`Error::TooLong`] for a text that is no caption.
    pub fn add<R: AsRef<str>>(&mut self, prediction: &str, references: &[R]) -> Result<(), Error> {
        limits::check(prediction, references)?;
        let prediction = characters(prediction);
        let mut best: Option<(f64, [Counts; ORDERS])> = None;
        for reference in references {
            let counts = compare(&prediction, &characters(reference.as_ref()));
            let score = score(&counts);
            if best.as_ref().is_none_or(|(best, _)| score > *best) {
                best = Some((score, counts));
            }
        }
        for (sum, counts) in self
            .counts
            .iter_mut()
            .zip(best.into_iter().flat_map(|best| best.1))
        {
            sum.prediction += counts.prediction;
            sum.reference += counts.reference;
            sum.matches += counts.matches;
        }
        Ok(())
    }

    /// The score; 0 for an empty corpus.
    pub fn score(&self) -> f64 {
        score(&self.counts)
    }
}

fn characters(text: &str) -> Vec<char> {
    text.chars().filter(|one| !is_space(*one)).collect()
}

fn compare(prediction: &[char], reference: &[char]) -> [Counts; ORDERS] {
    std::array::from_fn(|order| {
        let found = ngrams(prediction, order + 1);
        let expected = ngrams(reference, order + 1);
        let matches = found
            .iter()
            .map(|(ngram, count)| *count.min(expected.get(ngram).unwrap_or(&0)));
        Counts {
            // What has nothing to be compared with does not count against a prediction.
            prediction: match expected.is_empty() {
                true => 0,
                false => found.values().sum(),
            },
            reference: expected.values().sum(),
            matches: matches.sum(),
        }
    })
}

/// The F-score of precision and recall, each averaged over the orders that both sides have.
fn score(counts: &[Counts; ORDERS]) -> f64 {
    let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
    for order in counts {
        if order.prediction > 0 && order.reference > 0 {
            precision += order.matches as f64 / order.prediction as f64;
            recall += order.matches as f64 / order.reference as f64;
            orders += 1.0;
        }
    }
    if precision + recall == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (precision / orders, recall / orders);
    let factor = BETA * BETA;
    100.0 * (1.0 + factor) * precision * recall / (factor * precision + recall)
}
