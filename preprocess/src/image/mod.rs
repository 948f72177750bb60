//! Images to pixel values: [`decode`] reads files, [`ImageProcessor`] resizes, crops and normalises, and [`resize`] is
//! its resize alone.
//!
//! ```
//! use preprocess::image::{ImageProcessor, ImageProcessorConfig, RgbImage, decode};
//!
//! let processor = ImageProcessor::new(ImageProcessorConfig::square(224))?;
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/images/jpeg-420.jpg");
//! let image = decode::open(path, &decode::DecodeOptions::default())?;
//! let pixels = processor.process(&image)?;
//! assert_eq!(pixels.shape, [1, 3, 224, 224]); // images, channels, height, width
//!
//! // Pixels from elsewhere, such as a camera, need no file.
//! let grey = RgbImage::new(2, 2, vec![127; 12])?;
//! let batch = processor.process_batch(&[image, grey])?;
//! assert_eq!(batch.shape, [2, 3, 224, 224]);
//! # Ok::<(), preprocess::Error>(())
//! ```
//!
//! The steps are those of a Hugging Face class ([`ImageProcessorClass`]), `CLIPImageProcessor` by default: resize 8-bit RGB,
//! crop the centre, rescale, normalise. A [`Backend`] says whose resize; Pillow's by default, with which the values equal
//! Python's to the last bit. [`decode`] says which file formats decode to the same pixels.

mod backend;
mod config;
pub mod decode;
mod geometry;
mod layout;
mod processor;
mod resample;
mod rgb;
mod shown;

pub use backend::Backend;
pub use config::{CropSize, ImageProcessorClass, ImageProcessorConfig, ResizeTo};
pub use processor::{ImageProcessor, PixelValues};
pub use resample::{Resample, resize};
pub use rgb::RgbImage;
pub use shown::Shown;
