//! Images to pixel values and text to token ids, exactly as in Python.

mod error;
pub mod image;
pub mod text;

pub use error::Error;

/// The most pixels that an image may have or become: twice 89,478,485, where Pillow stops calling a file large and
/// refuses it as a "decompression bomb".
pub const MAX_PIXELS: u64 = 2 * 89_478_485;
