//! Images in, captions in many languages out.
//!
//! [`Captioner`] does all steps: it preprocesses an image, encodes it once, generates captions in any number
//! of languages from that one encoding in one batch, and turns tokens into text. It loads a checkpoint
//! folder, a model on the Hugging Face Hub (feature `hub`), or the small model that is
//! [embedded](Captioner::embedded) in this crate, which needs no file and no network.
//!
//! The embedded model knows 514 common things in six styles of pictogram art, one or two on a plain
//! background, in English, French, German and Spanish. It is not for photographs: its captions of them
//! are wrong, with high scores.
//!
//! ```
//! use burn::tensor::Device;
//! use captioning::{Captioner, open_image};
//!
//! # fn main() -> Result<(), captioning::Error> {
//! let captioner = Captioner::embedded(&Device::flex())?;
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/02-fluent-emoji-1f40e.png");
//! let image = open_image(path)?;
//!
//! let languages = [captioner.language("english")?, captioner.language("de")?];
//! let captions = captioner.caption(&[image], &languages, captioner.generation_config())?;
//! let [english, german] = captions[0].as_slice() else { unreachable!() };
//! assert_eq!(english.best().unwrap().text, "horse on a white background");
//! assert_eq!(german.language.code, "de_DE");
//! # Ok(())
//! # }
//! ```
//!
//! [`Captioner::builder`] sets which model to load, how its weights are kept, and in which languages it
//! writes. [`CaptionOptions`] adds a prefix, and words that a caption has to contain or must not contain.
//! [`Captioner::stream`] shows captions while they are written, [`Captioner::score`] returns how likely
//! given captions are, and [`Captioner::attention`] where the decoder looked.
//!
//! [`Pipeline`] captions any number of pictures: it reads ahead on threads, captions in batches and gives a
//! record for each picture, in memory for a few of them.
//!
//! Threads can share a captioner: its methods take `&self`, and every call has its own state.

mod as_published;
mod attention;
mod builder;
mod caption;
mod captioner;
mod decoding;
mod embedded;
mod error;
mod fields;
mod options;
mod overlay;
mod phrase;
mod pipeline;
mod score;
mod shortlist;
mod stream;
mod word_boundaries;
mod words;
mod write;

pub use as_published::AsPublished;
pub use attention::AttentionMap;
pub use builder::CaptionerBuilder;
pub use caption::{Caption, LanguageCaptions, TokenAlternative};
pub use captioner::Captioner;
pub use decoding::{CaptionDecoding, CaptionsEnded};
pub use error::Error;
pub use options::{CaptionOptions, card_defaults};
pub use overlay::Overlay;
pub use pipeline::{BatchSize, BatchSizeError, Failure, Pipeline, Plan, Record};
pub use stream::CaptionEvent;
pub use words::Words;

// Everything that a public signature names.
pub use checkpoint::{LocateError, Precision, Progress, SaveError, SaveOptions};
pub use generation::{
    Call, ConfigError, GenerationConfig, Ignored, IgnoredReason, OptionSource, PromptError,
    Vocabulary,
};
pub use packed_linear::Format;
pub use preprocess::Error as PreprocessError;
pub use preprocess::image::{ImageProcessor, RgbImage};
pub use preprocess::text::{LANGUAGES, Language, Tokenizer, UNDETERMINED, language};
pub use pretrained::{
    LoadError, LoadNotice, MemoryGrid, Pretrained, PretrainedModel, UnknownWeights, Weights,
};
pub use vision_encoder_decoder::{GenerateError, Memory, Shortlist};

/// Reads an image file of any common format as the reference does: without its alpha channel, and not
/// rotated as EXIF says. [`preprocess::image::decode`] has options for both.
///
/// # Errors
/// [`Error::Preprocess`], naming the file and what is wrong with it.
pub fn open_image(path: impl AsRef<std::path::Path>) -> Result<RgbImage, Error> {
    Ok(preprocess::image::decode::open(path, &Default::default())?)
}

/// Runs the examples of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
