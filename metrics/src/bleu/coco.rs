use super::counts::Counts;
use crate::python::split;
use crate::{Error, limits};

/// Keeps a quotient of nothing by nothing from being undefined: it is added to what is divided.
const TINY: f64 = 1e-15;
/// And this to what it is divided by.
const SMALL: f64 = 1e-9;

/// BLEU-1 to BLEU-4 of a corpus, from 0 to 1, as the captioning challenge of COCO computes them: on all references, on
/// tokens between white space.
///
/// COCO's program runs Stanford's tokenizer first, which takes punctuation out and lower-cases; a corpus that is to be
/// compared with published numbers has to be prepared in that way.
///
/// Source: `Bleu` of pycocoevalcap 1.2, with the option `closest` that it uses.
#[derive(Clone, Debug, Default)]
pub struct CocoBleu {
    counts: Counts,
}

impl CocoBleu {
    /// Adds a prediction and its references.
    ///
    /// # Errors
    /// [`Error::NoReference`] if there is no reference, [`Error::TooLong`] for a text that is no caption.
    pub fn add<R: AsRef<str>>(&mut self, prediction: &str, references: &[R]) -> Result<(), Error> {
        limits::check(prediction, references)?;
        let tokens = |text| split(text).collect::<Vec<&str>>();
        let references: Vec<_> = references
            .iter()
            .map(|reference| tokens(reference.as_ref()))
            .collect();
        self.counts
            .add(&Counts::of(&tokens(prediction), &references));
        Ok(())
    }

    /// Bleu_1, Bleu_2, Bleu_3, Bleu_4. All are 0 for an empty corpus.
    pub fn score(&self) -> [f64; 4] {
        let counts = &self.counts;
        let ratio = (counts.prediction as f64 + TINY) / (counts.reference as f64 + SMALL);
        let penalty = match ratio < 1.0 {
            true => (1.0 - 1.0 / ratio).exp(),
            false => 1.0,
        };
        let mut product = 1.0;
        std::array::from_fn(|order| {
            product *=
                (counts.matches[order] as f64 + TINY) / (counts.totals[order] as f64 + SMALL);
            product.powf(1.0 / (order + 1) as f64) * penalty
        })
    }
}
