//! Images in, captions in many languages out.
//!
//! [`Captioner`] joins everything: it prepares an image as the model expects it, encodes it once,
//! writes captions in as many languages as asked for from that one encoding, all in one batch, and
//! turns tokens into text. It loads a checkpoint folder of the CLIP-Vision-mBART50 architecture, or
//! the small model that is [embedded](Captioner::embedded) in this crate, which needs no file and no
//! network.
//!
//! The embedded model knows 514 common things in six styles of pictogram art, one or two on a plain
//! background, in English, French, German and Spanish. It is no model for photographs: of those it
//! says something wrong with confidence.
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
//! assert_eq!(
//!     captions[0][0].text,
//!     "horse on a white background"
//! );
//! assert_eq!(captions[0][1].language.code, "de_DE");
//! # Ok(())
//! # }
//! ```
//!
//! [`CaptionOptions`] has what is about words: what a caption begins with, has to contain, or must
//! not. [`Captioner::stream`] writes captions as they come, [`Captioner::score`] says how likely
//! captions are that are given, and [`Captioner::attention`] where the decoder looked.
//!
//! A captioner can be shared by threads: its methods take `&self`, and every call has its own state.

mod as_published;
mod attention;
mod caption;
mod captioner;
mod embedded;
mod error;
mod folder;
mod options;
mod overlay;
mod phrase;
mod score;
mod shortlist;
mod word_boundaries;
mod write;

pub use as_published::AsPublished;
pub use attention::AttentionMap;
pub use caption::{Caption, TokenAlternative};
pub use captioner::Captioner;
pub use error::Error;
pub use options::CaptionOptions;
pub use overlay::Overlay;
pub use phrase::Words;
pub use write::CaptionEvent;

pub use generation::{GenerationConfig, Vocabulary};
pub use mbart50_decoder::{LANGUAGES, Language, language};
pub use preprocess::image::{ImageProcessor, RgbImage};
pub use preprocess::text::Tokenizer;
pub use vision_encoder_decoder::checkpoint::{Precision, SaveOptions};
#[cfg(feature = "hub")]
pub use vision_encoder_decoder::hub;
pub use vision_encoder_decoder::{ClipVisionMBart50, Memory, Shortlist};

/// Reads an image file of any common format as the reference does: alpha dropped, EXIF orientation
/// left alone. See [`preprocess::image::decode`] for other ways.
///
/// # Errors
/// [`Error::Preprocess`], naming the file and what is wrong with it.
pub fn open_image(path: impl AsRef<std::path::Path>) -> Result<RgbImage, Error> {
    Ok(preprocess::image::decode::open(path, &Default::default())?)
}

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
