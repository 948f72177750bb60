//! Texts in, texts out: translation with Marian's models, such as `Helsinki-NLP/opus-mt-*`.
//!
//! [`Translator`] does all steps: it splits texts into tokens, puts those of similar lengths together into batches,
//! encodes them, searches, and turns tokens into texts. Results come in the order of the texts, each with an n-best list
//! if that is asked for. It loads a checkpoint folder, or a model on the Hugging Face Hub (feature `hub`).
//!
//! ```
//! use burn::tensor::Device;
//! use translation::{GenerationConfig, Translator};
//!
//! # fn main() -> Result<(), translation::Error> {
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny"); // random weights
//! let translator = Translator::builder()
//!     .folder(folder)
//!     .generation(|defaults| GenerationConfig { num_beams: 3, num_return_sequences: 2, ..defaults })
//!     .build(&Device::flex())?;
//!
//! let found = translator.translate(&["two dogs on a beach", ""])?;
//! let dogs = found[0].as_ref().unwrap();
//! assert_eq!(dogs.translations.len(), 2); // the best first
//! assert!(dogs.translations[0].score >= dogs.translations[1].score);
//! let empty = found[1].as_ref().unwrap();
//! assert_eq!(empty.best().text, "");
//! # Ok(())
//! # }
//! ```
//!
//! A text that can't be translated, since it is longer than the model can read for example, has an error of its own; the
//! others are translated. [`check`](mod@check) finds translations that are probably wrong.
//!
//! Threads can share a translator: its methods take `&self`, and every call has its own state.

mod batches;
mod builder;
pub mod check;
mod error;
mod translator;

pub use builder::TranslatorBuilder;
pub use error::{Error, TextError};
pub use translator::{LongTexts, Translated, Translation, Translator};

// Everything that a public signature names.
pub use checkpoint::{LocateError, Precision, Progress};
pub use generation::{ConfigError, GenerationConfig, PromptError};
pub use marian::Marian;
pub use packed_linear::Format;
pub use preprocess::Error as PreprocessError;
pub use preprocess::text::{Language, MarianTokenizer, language};
pub use pretrained::{LoadError, LoadNotice, PretrainedTranslator, UnknownWeights, Weights};
pub use vision_encoder_decoder::GenerateError;

/// Runs the examples of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
