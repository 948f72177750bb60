use super::counts::{Counts, ORDERS};
use crate::{Error, limits, tokenize_13a};

/// sacreBLEU of a corpus, from 0 to 100, with its defaults for most languages: `tok:13a|smooth:exp|case:mixed|eff:no`.
///
/// Of an order without a match, the precision is half of what one match would give, then a quarter, and so on. If the
/// predictions have no n-grams of an order at all, because each has less than four tokens, the score is 0.
///
/// ```
/// let mut bleu = metrics::SacreBleu::default();
/// bleu.add("A dog, a ball.", &["A dog, a ball."])?;
/// assert!((bleu.score() - 100.0).abs() < 1e-9);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// Source: Post 2018, "A Call for Clarity in Reporting BLEU Scores"; `BLEU` of sacreBLEU 2.6. Chinese, Japanese and
/// Korean, for which sacreBLEU has other tokenizers, are split as European languages are.
#[derive(Clone, Debug, Default)]
pub struct SacreBleu {
    counts: Counts,
}

impl SacreBleu {
    /// Adds a prediction and its references.
    ///
    /// # Errors
    /// [`Error::NoReference`] if there is no reference, [`Error::TooLong`] for a text that is no caption.
    pub fn add<R: AsRef<str>>(&mut self, prediction: &str, references: &[R]) -> Result<(), Error> {
        limits::check(prediction, references)?;
        let references: Vec<_> = references
            .iter()
            .map(|reference| tokenize_13a(reference.as_ref()))
            .collect();
        self.counts
            .add(&Counts::of(&tokenize_13a(prediction), &references));
        Ok(())
    }

    /// The score; 0 for an empty corpus.
    pub fn score(&self) -> f64 {
        let counts = &self.counts;
        if counts.matches == [0; ORDERS] || counts.totals.contains(&0) {
            return 0.0;
        }
        let penalty = match counts.prediction < counts.reference {
            true => (1.0 - counts.reference as f64 / counts.prediction as f64).exp(),
            false => 1.0,
        };
        let mut smoothing = 1.0;
        let mut sum = 0.0;
        for (matches, total) in counts.matches.iter().zip(counts.totals) {
            let precision = match matches {
                0 => {
                    smoothing *= 2.0;
                    100.0 / (smoothing * total as f64)
                }
                matches => 100.0 * *matches as f64 / total as f64,
            };
            sum += precision.ln();
        }
        penalty * (sum / ORDERS as f64).exp()
    }
}
