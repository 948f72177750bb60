//! Text to token ids and back: mBART-50's [`Tokenizer`].
//!
//! ```
//! use preprocess::text::Tokenizer;
//!
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/text");
//! let tokenizer = Tokenizer::from_folder(folder)?;
//! let ids = tokenizer.encode("a dog on a beach", "en_XX", Some(64))?;
//! assert_eq!(ids.first(), Some(&tokenizer.language_id("en_XX")?));
//! assert_eq!(tokenizer.decode(&ids, true)?, "a dog on a beach");
//! # Ok::<(), preprocess::Error>(())
//! ```
//!
//! The `tokenizers` crate, which Hugging Face's Python classes use too, does the segmentation: normalise, split into
//! words, find the most probable pieces of a unigram model. This module reads the files, checks them so that a damaged
//! one can't cause a panic, gives the tokens fairseq's ids, and adds language codes and end tokens.
//!
//! Beyond that,
//! - [`TextStream`] decodes tokens as they come;
//! - [`Tokenizer::token_texts`] gives the text that each token adds, for stop strings and word constraints;
//! - [`Tokenizer::shortlist_of_languages`] and [`Tokenizer::shortlist_of_texts`] find the tokens worth scoring;
//! - [`LANGUAGES`] lists mBART-50's languages, and [`language`] finds one by code or name.

mod charsmap;
mod decoding;
mod languages;
mod limits;
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
mod vocabulary;

pub use languages::{LANGUAGES, Language, language};
pub use text_stream::TextStream;
pub use tokenizer::Tokenizer;
