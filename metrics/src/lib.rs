//! Scores of captions, as their public implementations compute them.
//!
//! ```
//! use metrics::Corpus;
//!
//! let mut corpus = Corpus::default();
//! corpus.add("a dog with a red ball", &["a dog plays with a red ball", "a dog and its ball"])?;
//! corpus.add("two cats", &["two cats"])?;
//!
//! let scores = corpus.score();
//! assert_eq!(scores.exact_match, 0.5);
//! assert!((scores.bleu[0] - 0.8824969).abs() < 1e-6); // BLEU-1
//! assert!((scores.chrf - 69.45).abs() < 0.01);
//! # Ok::<(), metrics::Error>(())
//! ```
//!
//! [`Corpus`] computes all scores of one language at once. Each is also a type of its own, to which captions are added one by
//! one; of these, only [`Cider`] and [`Distinct`] grow with the number of captions:
//!
//! | score | type | tokens | references | equals |
//! |---|---|---|---|---|
//! | BLEU-1 to BLEU-4 | [`WordBleu`] | [`WordTokenizer`] | first | `nltk` 3.10 `corpus_bleu` |
//! | the same, averaged over batches | [`BatchBleu`] | [`WordTokenizer`] | first | the original's evaluation |
//! | sacreBLEU | [`SacreBleu`] | [`tokenize_13a`] | first | `sacrebleu` 2.6 `BLEU` |
//! | chrF | [`Chrf`] | characters | first | `sacrebleu` 2.6 `CHRF` |
//! | Bleu_1 to Bleu_4 | [`CocoBleu`] | white space | all | `pycocoevalcap` 1.2 `Bleu` |
//! | ROUGE-L | [`RougeL`] | spaces | all | `pycocoevalcap` 1.2 `Rouge` |
//! | CIDEr | [`Cider`] | white space | all | `pycocoevalcap` 1.2 `Cider` |
//! | distinct-1, distinct-2 | [`Distinct`] | [`WordTokenizer`] | none | - |
//!
//! "References" is what [`Corpus`] takes; the types accept any number.
//!
//! METEOR is not here. Its score is defined with WordNet's synonyms and tables of paraphrases; the part of it that looks at
//! equal words alone is another number, and would only be mistaken for METEOR.

mod bleu;
mod chrf;
mod cider;
mod corpus;
mod distinct;
mod error;
mod limits;
mod python;
mod rouge;
mod tokenize;

pub use bleu::{BatchBleu, CocoBleu, SacreBleu, WordBleu};
pub use chrf::Chrf;
pub use cider::Cider;
pub use corpus::{Corpus, Scores};
pub use distinct::Distinct;
pub use error::Error;
pub use limits::MAX_TEXT_BYTES;
pub use rouge::RougeL;
pub use tokenize::{Punkt, PunktModel, WordTokenizer, tokenize_13a, treebank_tokens};

/// Runs the examples of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
