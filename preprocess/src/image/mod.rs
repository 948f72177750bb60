//! Pictures to pixel values: [`decode`], [`resize`] and [`ImageProcessor`], which runs the whole chain.
//!
//! The chain is that of Hugging Face's `CLIPImageProcessor` on its PIL backend: resize 8-bit RGB with Pillow's
//! arithmetic, crop the centre, rescale, normalise. Each step is exact, so the values equal Python's to the last bit;
//! see [`decode`] for which file formats decode to the same pixels.

mod config;
pub mod decode;
mod geometry;
mod processor;
mod resample;
mod rgb;

pub use config::{CropSize, ImageProcessorConfig, ResizeTo};
pub use processor::{ImageProcessor, PixelValues};
pub use resample::{Resample, resize};
pub use rgb::RgbImage;
