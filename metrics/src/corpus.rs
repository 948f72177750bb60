use crate::bleu::Counts;
use crate::{
    BatchBleu, Chrf, Cider, CocoBleu, Distinct, Error, RougeL, SacreBleu, WordBleu, WordTokenizer,
    limits,
};

/// The number of captions in a batch of the original's evaluation.
const BATCH: usize = 512;

/// All scores of a corpus of one language, added up caption by caption. What grows with the corpus is what
/// [`Cider`] and [`Distinct`] remember: some 80 bytes for each word of captions that differ much, and less the more they
/// repeat each other. The same captions in the same order have the same scores to the last bit.
///
/// The first page of this crate has an example.
#[derive(Clone, Debug)]
pub struct Corpus {
    tokenizer: WordTokenizer,
    captions: u64,
    tokens: u64,
    exact: u64,
    word_bleu: WordBleu,
    batch_bleu: BatchBleu,
    sacre_bleu: SacreBleu,
    coco_bleu: CocoBleu,
    chrf: Chrf,
    rouge_l: RougeL,
    cider: Cider,
    distinct: Distinct,
}

/// The scores of a corpus. Each field says whether it considers all references or the first.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scores {
    /// The number of predictions.
    pub captions: u64,
    /// BLEU-1 to BLEU-4 on the words of [`WordTokenizer`] against the first reference, from 0 to 1: [`WordBleu`].
    pub bleu: [f64; 4],
    /// The same averaged over batches of 512, as the published table: [`BatchBleu`].
    pub batch_bleu: [f64; 4],
    /// sacreBLEU against the first reference, from 0 to 100: [`SacreBleu`].
    pub sacre_bleu: f64,
    /// chrF against the first reference, from 0 to 100: [`Chrf`].
    pub chrf: f64,
    /// Bleu_1 to Bleu_4 of COCO against all references, from 0 to 1: [`CocoBleu`].
    pub coco_bleu: [f64; 4],
    /// ROUGE-L of COCO against all references, from 0 to 1: [`RougeL`].
    pub rouge_l: f64,
    /// CIDEr of COCO against all references, from 0 to 10: [`Cider`].
    pub cider: f64,
    /// The share of predictions that equal one of their references character by character, from 0 to 1.
    pub exact_match: f64,
    /// Distinct-1 and distinct-2 of the predictions, from 0 to 1: [`Distinct`].
    pub distinct: [f64; 2],
    /// The mean length of the predictions in words of [`WordTokenizer`], in which punctuation counts.
    pub mean_length: f64,
}

impl Default for Corpus {
    fn default() -> Self {
        Self::new(WordTokenizer::default())
    }
}

impl Corpus {
    /// An empty corpus. The tokenizer is that of BLEU, distinct-n and lengths; the other scores have their own.
    pub fn new(tokenizer: WordTokenizer) -> Self {
        Self {
            tokenizer,
            captions: 0,
            tokens: 0,
            exact: 0,
            word_bleu: WordBleu::default(),
            batch_bleu: BatchBleu::new(BATCH),
            sacre_bleu: SacreBleu::default(),
            coco_bleu: CocoBleu::default(),
            chrf: Chrf::default(),
            rouge_l: RougeL::default(),
            cider: Cider::default(),
            distinct: Distinct::default(),
        }
    }

    /// A corpus of these predictions, each with its references.
    ///
    /// # Errors
    /// [`Error::Lengths`] if there are not as many lists of references as predictions, and the errors of
    /// [`add`](Self::add).
    pub fn of<R: AsRef<str>>(
        predictions: &[impl AsRef<str>],
        references: &[Vec<R>],
    ) -> Result<Self, Error> {
        if predictions.len() != references.len() {
            return Err(Error::Lengths {
                predictions: predictions.len(),
                references: references.len(),
            });
        }
        let mut corpus = Self::default();
        for (prediction, references) in predictions.iter().zip(references) {
            corpus.add(prediction.as_ref(), references)?;
        }
        Ok(corpus)
    }

    /// Adds a prediction and its references.
    ///
    /// # Errors
    /// [`Error::NoReference`] if there is no reference, [`Error::TooLong`] for a text of more than
    /// [`MAX_TEXT_BYTES`](crate::MAX_TEXT_BYTES). The corpus is then as before.
    pub fn add<R: AsRef<str>>(&mut self, prediction: &str, references: &[R]) -> Result<(), Error> {
        limits::check(prediction, references)?;
        let tokens = self.tokenizer.tokens(prediction);
        let first = self.tokenizer.tokens(references[0].as_ref());
        let counts = Counts::of(&tokens, &[first]);
        self.word_bleu.add_counts(&counts);
        self.batch_bleu.add_counts(&counts);
        self.distinct.add(&tokens);
        self.sacre_bleu.add(prediction, &references[..1])?;
        self.chrf.add(prediction, &references[..1])?;
        self.coco_bleu.add(prediction, references)?;
        self.rouge_l.add(prediction, references)?;
        self.cider.add(prediction, references)?;
        self.captions += 1;
        self.tokens += tokens.len() as u64;
        let is_exact = |reference: &R| reference.as_ref() == prediction;
        self.exact += u64::from(references.iter().any(is_exact));
        Ok(())
    }

    /// The scores of all that was added so far. All are 0 for an empty corpus.
    pub fn score(&self) -> Scores {
        let captions = self.captions.max(1) as f64;
        Scores {
            captions: self.captions,
            bleu: self.word_bleu.score(),
            batch_bleu: self.batch_bleu.score(),
            sacre_bleu: self.sacre_bleu.score(),
            chrf: self.chrf.score(),
            coco_bleu: self.coco_bleu.score(),
            rouge_l: self.rouge_l.score(),
            cider: self.cider.score(),
            exact_match: self.exact as f64 / captions,
            distinct: self.distinct.score(),
            mean_length: self.tokens as f64 / captions,
        }
    }
}
