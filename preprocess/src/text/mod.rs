//! Text to token ids and back: the [`Tokenizer`]s of mBART-50, GPT-2, RoBERTa, BERT, XLM-R and Donut.
//!
//! ```
//! use preprocess::text::Tokenizer;
//!
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/text");
//! let tokenizer = Tokenizer::from_folder(folder)?;
//! let ids = tokenizer.encode("a dog on a beach", "en_XX", Some(64))?;
//! assert_eq!(ids.first(), Some(&tokenizer.language_id("en_XX")?));
//! assert_eq!(tokenizer.decode(&ids, true)?, "a dog on a beach");
//!
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/classes/bert-json");
//! let tokenizer = Tokenizer::from_folder(folder)?; // of BERT, which has no languages
//! let ids = tokenizer.encode_text("A dog, on a beach.", true)?; // [CLS], the pieces, [SEP]
//! assert_eq!(tokenizer.decode(&ids, true)?, "a dog, on a beach.");
//! # Ok::<(), preprocess::Error>(())
//! ```
//!
//! The `tokenizers` crate, which Hugging Face's Python classes use too, does the segmentation: normalise, split into
//! words, find the most probable pieces of a unigram model, merge pairs of byte-level BPE, or take the longest pieces of
//! WordPiece. This module reads the files, checks them so that a damaged one can't cause a panic, gives the tokens the ids
//! of transformers, and adds language codes and the tokens around a text.
//!
//! Beyond that,
//! - [`TextStream`] decodes tokens as they come;
//! - [`Tokenizer::token_texts`] gives the text that each token adds, for stop strings and word constraints;
//! - [`Tokenizer::shortlist_of_languages`] and [`Tokenizer::shortlist_of_texts`] find the tokens worth scoring;
//! - [`tokens_to_json`] reads the fields that Donut writes;
//! - [`LANGUAGES`] lists mBART-50's languages and [`MORE_LANGUAGES`] others, [`language`] finds one by code or name, and
//!   [`Tokenizer::add_language`] adds one that a tokenizer lacks.
//!
//! # Limits
//! A `tokenizer.json` describes steps for a program to run, and a vocabulary takes many times the memory of its file.
//! So only the steps that published unigram, byte-level BPE and WordPiece tokenizers have are run (at most 16 before and
//! after the model, with regular expressions from a fixed list), and files are refused that go far beyond any published
//! tokenizer: more than 64 MiB, 1,048,576 pieces or merges, 256 bytes in a piece, pieces that share hardly any beginnings,
//! a normalisation table of more than 4 MiB, or one that makes a text more than 16 times as long. Reading then takes at
//! most 320 bytes of memory for each byte of the file and 2 MiB, and encoding time and memory in proportion to the text.

mod added;
mod assembly;
mod bpe;
mod bytes;
mod charsmap;
mod class;
mod cleanup;
mod decoding;
mod files;
mod languages;
mod limits;
mod marian;
mod more_languages;
mod options;
mod own_codes;
mod protobuf;
mod quoted;
mod save;
mod scripts;
mod sentencepiece;
mod shortlist;
mod special;
mod template;
mod text_stream;
mod token_texts;
mod tokenizer;
mod tokenizer_json;
mod tokens_to_json;
mod vocabulary;
mod vocabulary_ids;

pub use languages::{LANGUAGES, Language, UNDETERMINED, language};
pub use marian::MarianTokenizer;
pub use more_languages::MORE_LANGUAGES;
pub use special::SpecialToken;
pub use text_stream::TextStream;
pub use tokenizer::Tokenizer;
pub use tokens_to_json::tokens_to_json;
