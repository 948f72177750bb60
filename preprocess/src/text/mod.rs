//! Text to token ids and back: mBART-50's [`Tokenizer`].
//!
//! The segmentation itself (normalise, split into words, most probable pieces of a unigram model) is done by the
//! `tokenizers` crate, which Hugging Face's Python classes run too. This module reads the files, checks them so that a
//! damaged one can't bring a server down, lays out the ids as fairseq did, and adds language codes and end tokens.
//!
//! It also says what each token adds to a text ([`Tokenizer::token_texts`]: for stop strings, word constraints and
//! streaming), and which tokens are worth scoring for some languages or a corpus
//! ([`Tokenizer::shortlist_of_languages`], [`Tokenizer::shortlist_of_texts`]).

mod charsmap;
mod languages;
mod save;
mod sentencepiece;
mod shortlist;
mod token_texts;
mod tokenizer;
mod tokenizer_json;
mod vocabulary;

pub use languages::LANGUAGE_CODES;
pub use tokenizer::Tokenizer;
