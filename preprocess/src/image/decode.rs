//! Image files to 8-bit RGB, with the meaning of Pillow's `Image.open(path).convert("RGB")`.
//!
//! A palette index becomes its colour, grey is repeated in all channels, 16-bit colour keeps its high byte, an animation
//! gives its first frame, an icon its largest image, and a TIFF is turned by its orientation. [`DecodeOptions`] decide
//! on transparency (dropped by default, not blended) and on the EXIF orientation of other formats (ignored by default). 16-bit
//! grey without alpha is clipped at 255, so most such images become white: a surprise, but also what Pillow gives to
//! every Python model.
//!
//! Compared with Pillow 13 on about four hundred small files of all modes:
//!
//! | format | pixels |
//! |---|---|
//! | PNG (all depths, palettes, transparency), GIF, BMP, ICO, PNM, WebP (lossless and lossy), QOI | equal |
//! | TIFF and BigTIFF: RGB, RGBA, palettes of 8 bits, grey of 1, 8 and 16 bits; plain, LZW, Deflate, PackBits, CCITT Group 4 | equal |
//! | TIFF: CMYK, or compressed as JPEG | at most 1 level apart |
//! | JPEG with full chroma resolution, grey, RGB or CMYK | at most 2 levels apart, 0.05 on average |
//! | JPEG with halved chroma resolution (4:2:0, 4:2:2) | at most 5 levels apart, 0.4 on average; 2 after a reduction |
//! | JPEG: arithmetic, lossless or hierarchical coding, 12 bits | [`Error::UnsupportedImage`] |
//! | TIFF: grey with alpha or of 2 or 4 bits, Lab, floating point grey, YCbCr other than JPEG, other compressions | [`Error::UnsupportedImage`] |
//! | HEIC, AVIF, JPEG XL, JPEG 2000, raw images of cameras, SVG, PDF, videos and others with a signature | [`Error::ForeignFormat`], which names it |
//! | TGA and others that are not recognisable by their first bytes | [`Error::UnknownFormat`] |
//!
//! # What a file can ask for
//! Memory and time are in proportion to a file. Before memory is asked for, the size that a header announces is compared with
//! [`DecodeOptions::max_pixels`] and with what the bytes can hold. Any file may announce a picture of 2^20 pixels, and one that
//! can hold a blank page in almost nothing (lossless or extended WebP, CCITT) 2^24; beyond that, a byte of the file can stand for
//! at most
//!
//! | coding | pixels, or bytes of pixels |
//! |---|---|
//! | uncompressed | as many as there are |
//! | Deflate (PNG, TIFF), LZW (TIFF), PackBits | 1032, 2731, 64 bytes |
//! | GIF | 2731 pixels |
//! | JPEG, lossy WebP | 512, 1024 pixels |
//! | lossless and extended WebP, CCITT | 2^14, 2^16 pixels |
//! | run lengths of BMP | 2^14 pixels |
//! | QOI, PAM | 64, 8 pixels |
//!
//! A JPEG may have 100 scans, each of which goes over the whole picture, and altogether over 2^27 pixels and 5120 for each of its
//! bytes. Decoding takes at most 24 bytes for each pixel beside the file. Only the first frame of an animation is decoded, and
//! only the chunks of a PNG that pixels are made of.

mod announced;
mod bmp;
mod failure;
mod gif;
mod ico;
mod jpeg;
mod kind;
mod levels;
mod options;
mod png;
mod pnm;
mod tiff;
mod tiff_directory;

use std::io::Cursor;
use std::panic;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use whole_files::limits;

use self::announced::{ALWAYS_BLANK, Capacity};
use self::kind::Kind;
pub use self::options::{Alpha, DecodeOptions};
use super::RgbImage;
use crate::Error;

/// Pixels that a byte of a JPEG can hold: a block of 64 takes at least one bit.
const JPEG_PIXELS: u64 = 512;

/// Reads and decodes a file. Its first bytes decide on the format, not its name.
///
/// # Errors
/// - [`Error::Read`] if the file can't be read.
/// - [`Error::File`] around [`Error::UnknownFormat`] or [`Error::ForeignFormat`] if it is not an image in a supported
///   format; around [`Error::UnsupportedImage`] if this kind of image is not decoded here; around [`Error::Damaged`] if it
///   does not decode, because it is cut short for example, or announces more pixels than it can hold; around
///   [`Error::ImageTooLarge`] if its header announces too many pixels.
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
/// - [`Error::UnknownFormat`] or [`Error::ForeignFormat`] if the bytes are not an image in a supported format.
/// - [`Error::UnsupportedImage`] if this kind of image is not decoded here.
/// - [`Error::Damaged`] if the image does not decode, because it is cut short for example, or announces more pixels than
///   it can hold.
/// - [`Error::ImageTooLarge`] if the header announces too many pixels; nothing of that size was allocated.
pub fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<RgbImage, Error> {
    let kind = Kind::of(bytes)?;
    let of_decoder = |capacity| -> Result<Decoded, Error> {
        let (image, orientation) = with_decoder(kind, bytes, capacity, options)?;
        Ok(Decoded { image, orientation })
    };
    let Decoded {
        mut image,
        orientation,
    } = match kind {
        Kind::Png => png::decode(bytes, options)?,
        Kind::Gif => gif::decode(bytes, options)?,
        Kind::Tiff => tiff::decode(bytes, options)?,
        Kind::Bmp => bmp::decode(bytes, options)?,
        Kind::Ico => ico::decode(bytes, options)?,
        Kind::Pnm => pnm::decode(bytes, options)?,
        Kind::Jpeg => {
            jpeg::check(bytes, options)?;
            of_decoder(Capacity::new(JPEG_PIXELS))?
        }
        Kind::WebP => of_decoder(of_webp(bytes))?,
        // A byte is a run of at most 62 pixels.
        Kind::Qoi => of_decoder(Capacity::new(64))?,
    };
    if options.apply_exif_orientation || kind == Kind::Tiff {
        image.apply_orientation(orientation);
    }
    levels::to_rgb(image, options.alpha)
}

/// A decoded image that is not turned yet.
struct Decoded {
    image: DynamicImage,
    orientation: Orientation,
}

impl From<DynamicImage> for Decoded {
    fn from(image: DynamicImage) -> Self {
        Self {
            image,
            orientation: Orientation::NoTransforms,
        }
    }
}

/// What a WebP file can hold: lossless pixels of one colour take no bits, and an extended file has a canvas around its
/// frames.
fn of_webp(bytes: &[u8]) -> Capacity {
    match bytes.get(12..16) {
        // A macroblock of 256 pixels takes at least three bits.
        Some(b"VP8 ") => Capacity::new(1024),
        _ => Capacity {
            always: ALWAYS_BLANK,
            pixels_per_byte: 1 << 14,
        },
    }
}

/// Decodes an image and, if it is asked for, reads its EXIF orientation.
///
/// A decoder that panics, which is a mistake of its own, costs one picture and not the program.
fn with_decoder(
    kind: Kind,
    bytes: &[u8],
    capacity: Capacity,
    options: &DecodeOptions,
) -> Result<(DynamicImage, Orientation), Error> {
    // Nothing that a panic leaves half done is used afterwards.
    panic::catch_unwind(|| read(kind, bytes, capacity, options))
        .unwrap_or_else(|_| Err(kind.damaged(PANICKED)))
}

/// The reason of a picture at which a decoder panicked.
const PANICKED: &str = "the decoder can't cope with it";

fn read(
    kind: Kind,
    bytes: &[u8],
    capacity: Capacity,
    options: &DecodeOptions,
) -> Result<(DynamicImage, Orientation), Error> {
    let failure = |error| failure::of_decoder(kind, error);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind.format());
    reader.limits(memory(options.max_pixels.saturating_mul(8)));
    let mut decoder = reader.into_decoder().map_err(failure)?;
    let (width, height) = decoder.dimensions();
    announced::check(kind, [width, height], bytes.len(), capacity, options)?;
    // The image itself, as much again for its parts, and tables.
    let limit = decoder
        .total_bytes()
        .saturating_mul(2)
        .saturating_add(16 << 20);
    decoder.set_limits(memory(limit)).map_err(failure)?;
    let orientation = if options.apply_exif_orientation {
        // Metadata that can't be read leaves the orientation unknown, and the pixels may still be fine.
        decoder.orientation().unwrap_or(Orientation::NoTransforms)
    } else {
        Orientation::NoTransforms
    };
    let image = DynamicImage::from_decoder(decoder).map_err(failure)?;
    Ok((image, orientation))
}

/// Limits what a decoder may allocate.
fn memory(bytes: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(bytes);
    limits
}
