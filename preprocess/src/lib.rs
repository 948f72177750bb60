//! Images to pixel values and text to token ids, exactly as in Python, for models that were trained there.
//!
//! A model depends on the preprocessing that it was trained with. Another resize filter, a missing antialias or an
//! edge length rounded the other way lowers its accuracy, and one wrong token id ruins a caption without any error. So
//! this crate repeats Pillow's arithmetic and Hugging Face's image processors and tokenizers to the last
//! bit, and says where a file format makes that impossible ([`image::decode`]).
//!
//! It does not depend on a tensor library: pixels come out as a `Vec<f32>` and a shape ([`image::PixelValues`]), tokens
//! as `Vec<u32>`, for any runtime. Input from outside, files above all, may be damaged or hostile: it ends in an
//! [`Error`] that names the file and says what to do, never in a panic.
//!
//! # Features
//! Both are on by default, and each compiles only the dependencies that it needs.
//!
//! | feature | module |
//! |---|---|
//! | `image` | [`image`]: decode, resize, crop and normalise |
//! | `text` | [`text`]: encode and decode tokens of mBART-50, GPT-2, RoBERTa, BERT, XLM-R and Donut, decode them as they come, make vocabulary shortlists |

mod error;
#[cfg(feature = "image")]
pub mod image;
#[cfg(feature = "text")]
pub mod text;

pub use error::Error;

/// The largest number of pixels that an image may have or be resized to: twice 89,478,485, above which Pillow refuses
/// a file as a "decompression bomb".
pub const MAX_PIXELS: u64 = 2 * 89_478_485;

/// Runs the examples of the README as tests.
#[cfg(all(doctest, feature = "image", feature = "text"))]
#[doc = include_str!("../README.md")]
struct Readme;
