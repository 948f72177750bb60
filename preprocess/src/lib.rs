//! Images to pixel values and text to token ids, exactly as in Python, for models that were trained there.
//!
//! A model keeps the habits of the pipeline that fed it. The best resize for the eye is not the one that it saw, a
//! filter without antialias or an edge rounded the other way costs accuracy that no later step gives back, and one
//! wrong token id ruins a caption without any error. So this crate does not aim at nice pictures: it repeats Pillow's
//! arithmetic and Hugging Face's `CLIPImageProcessor` and `MBart50Tokenizer` to the last bit, and says where a file
//! format makes that impossible ([`image::decode`]).
//!
//! It knows no tensor library: pixels come out as a `Vec<f32>` and a shape ([`image::PixelValues`]), tokens as
//! `Vec<u32>`, so it serves any runtime. Everything that comes from outside, files above all, may be damaged or
//! hostile; it ends in an [`Error`] that names the file and says what to do, never in a panic.
//!
//! # Images
//! ```
//! use preprocess::image::{ImageProcessor, ImageProcessorConfig, RgbImage, decode};
//!
//! let processor = ImageProcessor::new(ImageProcessorConfig::square(224))?;
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/images/jpeg-420.jpg");
//! let image = decode::open(path, &decode::DecodeOptions::default())?;
//! let pixels = processor.process(&image)?;
//! assert_eq!(pixels.shape, [1, 3, 224, 224]); // images, channels, height, width
//!
//! // Pixels from elsewhere, a camera for example, need no file.
//! let grey = RgbImage::new(2, 2, vec![127; 12])?;
//! let batch = processor.process_batch(&[image, grey])?;
//! assert_eq!(batch.shape, [2, 3, 224, 224]);
//! # Ok::<(), preprocess::Error>(())
//! ```
//!
//! # Text
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

mod error;
pub mod image;
pub mod text;
mod whole_file;

pub use error::Error;

/// The most pixels that an image may have or become: twice 89,478,485, where Pillow stops warning about a
/// "decompression bomb" and refuses the file.
pub const MAX_PIXELS: u64 = 2 * 89_478_485;

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
