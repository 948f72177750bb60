//! Image files to 8-bit RGB, with the meaning of Pillow's `Image.open(path).convert("RGB")`.
//!
//! A palette index becomes its colour, grey is repeated in all channels, 16-bit colour keeps its high byte, and an
//! animation gives its first frame. [`DecodeOptions`] decide on transparency (dropped by default, not blended) and EXIF
//! orientation (ignored by default). 16-bit grey without alpha is clipped at 255, so most such images become white: a
//! surprise, but also what Pillow gives to every Python model.
//!
//! Compared with Pillow 13 on about seventy small files of all modes:
//!
//! | format | pixels |
//! |---|---|
//! | PNG (all depths, palettes, transparency), GIF, BMP, ICO, PNM, WebP (lossless and lossy) | equal |
//! | TIFF: RGB, RGBA, grey of 1, 8 and 16 bits; plain, LZW, Deflate, PackBits | equal |
//! | TIFF: CMYK, or compressed as JPEG | at most 1 level apart |
//! | JPEG with full chroma resolution, grey, RGB or CMYK | at most 2 levels apart, 0.05 on average |
//! | JPEG with halved chroma resolution (4:2:0, 4:2:2) | at most 4 levels apart, 0.4 on average; 2 after a reduction |
//! | GIF whose first frame does not cover the canvas | the rest is black, not the palette's first colour |
//! | TIFF: palette, grey with alpha, Lab, floating point grey, YCbCr other than JPEG | [`Error::UnsupportedImage`] |
//! | TGA, which is not recognisable by its first bytes | [`Error::UnknownFormat`] |

mod jpeg;
mod levels;

use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use whole_files::limits;

use super::RgbImage;
use crate::{Error, MAX_PIXELS};

/// How an image is decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeOptions {
    /// Whether to turn the image as its EXIF orientation says, which photos from telephones need to be upright. Off by
    /// default, since Hugging Face's processors ignore it.
    pub apply_exif_orientation: bool,
    /// What to do with transparency.
    pub alpha: Alpha,
    /// The largest number of pixels that the header may announce. [`MAX_PIXELS`] by default.
    pub max_pixels: u64,
}

/// What to do with transparency, which RGB can't express.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alpha {
    /// Keep the stored colour, even of fully transparent pixels, as Pillow's `convert("RGB")` does. Hugging Face's
    /// processors did so for years, so most models were trained with it.
    Drop,
    /// Blend the colour onto white, as `convert_to_rgb` of transformers 5.23 does.
    OverWhite,
    /// Blend the colour onto black.
    OverBlack,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            apply_exif_orientation: false,
            alpha: Alpha::Drop,
            max_pixels: MAX_PIXELS,
        }
    }
}

impl DecodeOptions {
    /// Sets [`apply_exif_orientation`](Self::apply_exif_orientation).
    pub fn with_apply_exif_orientation(mut self, apply: bool) -> Self {
        self.apply_exif_orientation = apply;
        self
    }

    /// Sets [`alpha`](Self::alpha).
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets [`max_pixels`](Self::max_pixels).
    pub fn with_max_pixels(mut self, max_pixels: u64) -> Self {
        self.max_pixels = max_pixels;
        self
    }
}

/// Reads and decodes a file. Its first bytes decide on the format, not its name.
///
/// # Errors
/// - [`Error::Read`] if the file can't be read.
/// - [`Error::File`] around [`Error::UnknownFormat`] if it is not an image in a supported format; around
///   [`Error::UnsupportedImage`] if the decoder does not support this kind of image; around [`Error::Damaged`] if it
///   does not decode, because it is cut short for example; around [`Error::ImageTooLarge`] if its header announces too
///   many pixels.
pub fn open(path: impl AsRef<Path>, options: &DecodeOptions) -> Result<RgbImage, Error> {
    let path = path.as_ref();
    whole_files::read(path, limits::PICTURE)
        .map_err(Error::Read)
        .and_then(|bytes| decode(&bytes, options))
        .map_err(|error| error.in_file(path))
}

/// Decodes the bytes of an image file. Its first bytes decide on the format.
///
/// # Errors
/// - [`Error::UnknownFormat`] if the bytes are not an image in a supported format.
/// - [`Error::UnsupportedImage`] if the decoder does not support this kind of image.
/// - [`Error::Damaged`] if the image does not decode, because it is cut short for example.
/// - [`Error::ImageTooLarge`] if the header announces too many pixels; nothing of that size was allocated.
pub fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<RgbImage, Error> {
    let unknown = || Error::UnknownFormat { bytes: bytes.len() };
    let format = image::guess_format(bytes).map_err(|_| unknown())?;
    if !format.reading_enabled() {
        return Err(unknown());
    }
    if format == ImageFormat::Jpeg {
        jpeg::check_complete(bytes)?;
    }
    let damaged = |error: image::ImageError| damaged(format, error);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(allocation_limit(options.max_pixels));
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > options.max_pixels {
        return Err(Error::ImageTooLarge {
            width,
            height,
            limit: options.max_pixels,
        });
    }
    let orientation = if options.apply_exif_orientation {
        // Metadata that can't be read leaves the orientation unknown, and the pixels may still be fine.
        decoder.orientation().unwrap_or(Orientation::NoTransforms)
    } else {
        Orientation::NoTransforms
    };
    let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    image.apply_orientation(orientation);
    levels::to_rgb(image, options.alpha)
}

/// Limits what a decoder may allocate to four channels of 16 bits for every allowed pixel.
fn allocation_limit(max_pixels: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(max_pixels.saturating_mul(8));
    limits
}

fn damaged(format: ImageFormat, error: image::ImageError) -> Error {
    let (format, reason) = (format!("{format:?}"), error.to_string());
    match error {
        image::ImageError::Unsupported(_) => Error::UnsupportedImage { format, reason },
        _ => Error::Damaged { format, reason },
    }
}
