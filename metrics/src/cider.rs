use std::collections::{HashMap, HashSet};

use crate::python::split;
use crate::{Error, limits};

/// The longest n-grams.
const ORDERS: usize = 4;

/// The standard deviation of the penalty for another length than the reference's.
const SIGMA: f64 = 6.0;

/// CIDEr of a corpus, from 0 to 10, as the captioning challenge of COCO computes it (CIDEr-D): how alike prediction and
/// references are in their n-grams of up to four words, where an n-gram counts the less the more pictures have it in
/// their references.
///
/// So the score of one caption depends on the whole corpus: with one picture, or if all pictures have the same references,
/// it is 0, and scores of different data sets can't be compared. Words are what white space separates; [`CocoBleu`]
/// says how COCO prepares texts.
///
/// All captions are kept, as one number per word, since only the last says how rare an n-gram is; and so are the different
/// words, and the different n-grams of references with their counts: some 80 bytes for each word of captions that differ
/// much, and less the more they repeat each other.
///
/// Sums are in the order of the words' first occurrences, so equal captions in equal order have the same score to the last
/// bit.
///
/// ```
/// let mut cider = metrics::Cider::default();
/// cider.add("a red ball", &["a red ball", "one red ball"])?;
/// cider.add("two dogs", &["dogs on grass"])?;
/// assert!(cider.score() > 0.5);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// Source: Vedantam et al. 2015, "CIDEr: Consensus-based Image Description Evaluation"; `Cider` of pycocoevalcap 1.2.
///
/// [`CocoBleu`]: crate::CocoBleu
#[derive(Clone, Debug, Default)]
pub struct Cider {
    words: HashMap<String, u32>,
    /// The number of pictures that have an n-gram in their references.
    pictures: HashMap<Ngram, u32>,
    examples: Vec<Example>,
}

/// Up to four words, numbered from 1, and zeros.
type Ngram = [u32; ORDERS];

/// The words of a prediction and of its references, one text after another.
#[derive(Clone, Debug)]
struct Example {
    words: Box<[u32]>,
    /// Where the texts end, the prediction first.
    ends: Box<[u32]>,
}

/// The weights of a text's n-grams, by order.
struct Weights {
    /// Sorted by n-gram, since sums depend on their order.
    of: [Vec<(Ngram, f64)>; ORDERS],
    norms: [f64; ORDERS],
    /// The number of its 2-grams, which the reference implementation takes for its length.
    length: f64,
}

impl Cider {
    /// Adds a prediction and its references.
    ///
    /// # Errors
    /// [`Error::NoReference`] if there is no reference, [`Error::TooLong`] for a text that is no caption.
    pub fn add<R: AsRef<str>>(&mut self, prediction: &str, references: &[R]) -> Result<(), Error> {
        limits::check(prediction, references)?;
        let (mut words, mut ends) = (Vec::new(), Vec::new());
        let texts = references.iter().map(AsRef::as_ref);
        for text in [prediction].into_iter().chain(texts) {
            words.extend(split(text).map(|word| self.number(word)));
            ends.push(words.len() as u32);
        }
        let example = Example {
            words: words.into(),
            ends: ends.into(),
        };
        let ngrams: HashSet<Ngram> = example.texts().skip(1).flat_map(ngrams).collect();
        for ngram in ngrams {
            *self.pictures.entry(ngram).or_default() += 1;
        }
        self.examples.push(example);
        Ok(())
    }

    /// The mean over all predictions; 0 for an empty corpus.
    pub fn score(&self) -> f64 {
        let scores = self.examples.iter().map(|example| self.score_of(example));
        scores.sum::<f64>() / self.examples.len().max(1) as f64
    }

    fn score_of(&self, example: &Example) -> f64 {
        let mut texts = example.texts().map(|text| self.weights(text));
        let Some(prediction) = texts.next() else {
            return 0.0; // unreachable: every example has a prediction
        };
        let mut sum = 0.0;
        let mut references = 0.0;
        for reference in texts {
            sum += similarity(&prediction, &reference);
            references += 1.0;
        }
        10.0 * sum / ORDERS as f64 / references
    }

    fn weights(&self, text: &[u32]) -> Weights {
        let pictures = (self.examples.len() as f64).ln();
        let mut weights = Weights {
            of: Default::default(),
            norms: [0.0; ORDERS],
            length: text.len().saturating_sub(1) as f64,
        };
        for order in 1..=ORDERS {
            let mut ngrams: Vec<Ngram> = ngrams_of(text, order).collect();
            ngrams.sort_unstable();
            weights.of[order - 1] = ngrams
                .chunk_by(|one, other| one == other)
                .map(|same| {
                    let with = self.pictures.get(&same[0]).copied().unwrap_or(1);
                    let weight = pictures - f64::from(with).ln();
                    (same[0], same.len() as f64 * weight)
                })
                .collect();
        }
        for (norm, weights) in weights.norms.iter_mut().zip(&weights.of) {
            let squares = weights.iter().map(|(_, weight)| weight * weight);
            *norm = squares.sum::<f64>().sqrt();
        }
        weights
    }

    /// The number of a word, from 1.
    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.words.get(word) {
            return *number;
        }
        let number = self.words.len() as u32 + 1;
        self.words.insert(word.to_owned(), number);
        number
    }
}

impl Example {
    /// The prediction, then the references.
    fn texts(&self) -> impl Iterator<Item = &[u32]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let text = &self.words[start..*end as usize];
            start = *end as usize;
            text
        })
    }
}

/// All n-grams of a text, of all orders.
fn ngrams(text: &[u32]) -> impl Iterator<Item = Ngram> {
    (1..=ORDERS).flat_map(move |order| ngrams_of(text, order))
}

/// All n-grams of an order.
fn ngrams_of(text: &[u32], order: usize) -> impl Iterator<Item = Ngram> {
    text.windows(order).map(move |words| {
        let mut ngram = [0; ORDERS];
        ngram[..order].copy_from_slice(words);
        ngram
    })
}

/// The sum over all orders of the cosine between the weights of prediction and reference, where those of the prediction
/// count no more than the reference's, times a penalty for another length.
fn similarity(prediction: &Weights, reference: &Weights) -> f64 {
    let apart = prediction.length - reference.length;
    let penalty = (-apart * apart / (2.0 * SIGMA * SIGMA)).exp();
    let cosine = |order: usize| {
        let expected = &reference.of[order];
        let products = prediction.of[order].iter().map(|(ngram, weight)| {
            let found = expected.binary_search_by(|(other, _)| other.cmp(ngram));
            let expected = found.map_or(0.0, |place| expected[place].1);
            weight.min(expected) * expected
        });
        let product: f64 = products.sum();
        match prediction.norms[order] * reference.norms[order] {
            0.0 => product,
            norms => product / norms,
        }
    };
    (0..ORDERS).map(cosine).sum::<f64>() * penalty
}
