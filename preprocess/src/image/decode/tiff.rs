use std::borrow::Cow;

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage, RgbaImage};

use super::announced::{ALWAYS_BLANK, Capacity};
use super::kind::Kind;
use super::levels::high_byte;
use super::png::DEFLATE;
use super::tiff_directory::Directory;
use super::{DecodeOptions, Decoded, announced, with_decoder};
use crate::Error;

pub(super) mod tag {
    pub(in super::super) const WIDTH: u16 = 256;
    pub(in super::super) const HEIGHT: u16 = 257;
    pub(in super::super) const BITS: u16 = 258;
    pub(in super::super) const COMPRESSION: u16 = 259;
    pub(in super::super) const PHOTOMETRIC: u16 = 262;
    pub(in super::super) const FILL_ORDER: u16 = 266;
    pub(in super::super) const STRIP_OFFSETS: u16 = 273;
    pub(in super::super) const ORIENTATION: u16 = 274;
    pub(in super::super) const SAMPLES: u16 = 277;
    pub(in super::super) const STRIP_BYTES: u16 = 279;
    pub(in super::super) const PREDICTOR: u16 = 317;
    pub(in super::super) const COLOUR_MAP: u16 = 320;
    pub(in super::super) const TILE_WIDTH: u16 = 322;
    pub(in super::super) const TILE_HEIGHT: u16 = 323;
    pub(in super::super) const TILE_OFFSETS: u16 = 324;
    pub(in super::super) const TILE_BYTES: u16 = 325;
    pub(in super::super) const EXTRA_SAMPLES: u16 = 338;
    pub(in super::super) const SAMPLE_FORMAT: u16 = 339;
    pub(in super::super) const XMP: u16 = 700;

    /// Those without which an image can not be decoded as it is meant.
    pub(in super::super) const NEEDED: [u16; 18] = [
        WIDTH,
        HEIGHT,
        BITS,
        COMPRESSION,
        PHOTOMETRIC,
        FILL_ORDER,
        STRIP_OFFSETS,
        ORIENTATION,
        SAMPLES,
        STRIP_BYTES,
        PREDICTOR,
        COLOUR_MAP,
        TILE_WIDTH,
        TILE_HEIGHT,
        TILE_OFFSETS,
        TILE_BYTES,
        EXTRA_SAMPLES,
        SAMPLE_FORMAT,
    ];
}

const UNCOMPRESSED: u64 = 1;
const JPEG: u64 = 7;

const WHITE_IS_ZERO: u64 = 0;
const BLACK_IS_ZERO: u64 = 1;
const RGB: u64 = 2;
const PALETTE: u64 = 3;
const CMYK: u64 = 5;
const YCBCR: u64 = 6;

/// Decodes a TIFF or BigTIFF file as Pillow does, which turns it by its orientation whenever it loads one.
pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Decoded, Error> {
    let directory = Directory::of(bytes)?;
    let layout = Layout::of(&directory)?;
    let capacity = layout.capacity();
    announced::check(Kind::Tiff, layout.size, bytes.len(), capacity, options)?;
    layout.check_kind()?;
    layout.check_tiles(&directory)?;
    let prepared = prepared(&directory, &layout)?;
    let (image, _) = with_decoder(Kind::Tiff, &prepared, capacity, options)?;
    let image = match layout.photometric {
        PALETTE => with_palette(image, &directory)?,
        _ if layout.has_associated_alpha => unmultiplied(image),
        _ => image,
    };
    Ok(Decoded {
        image,
        orientation: orientation(&directory),
    })
}

/// What the tags of an image say about its pixels.
struct Layout {
    size: [u32; 2],
    compression: u64,
    photometric: u64,
    bits: u64,
    samples: u64,
    sample_format: u64,
    has_associated_alpha: bool,
}

impl Layout {
    fn of(directory: &Directory) -> Result<Self, Error> {
        let or = |tag, otherwise| directory.first(tag).unwrap_or(otherwise);
        let side = |tag, name| {
            let side = directory
                .first(tag)
                .and_then(|side| u32::try_from(side).ok());
            side.ok_or_else(|| Kind::Tiff.damaged(format!("it has no {name}")))
        };
        Ok(Self {
            size: [side(tag::WIDTH, "width")?, side(tag::HEIGHT, "height")?],
            compression: or(tag::COMPRESSION, UNCOMPRESSED),
            photometric: or(tag::PHOTOMETRIC, WHITE_IS_ZERO),
            bits: or(tag::BITS, 1),
            samples: or(tag::SAMPLES, 1),
            sample_format: or(tag::SAMPLE_FORMAT, 1),
            has_associated_alpha: or(tag::EXTRA_SAMPLES, 0) == 1,
        })
    }

    fn capacity(&self) -> Capacity {
        let bits = self.bits.saturating_mul(self.samples);
        match self.compression {
            UNCOMPRESSED => Capacity::of_bits(bits, 1),
            // Twelve bits of LZW make at most 4095 bytes.
            5 => Capacity::of_bits(bits, 2731),
            JPEG => Capacity::new(super::JPEG_PIXELS),
            // Two bytes make at most 128.
            32773 => Capacity::of_bits(bits, 64),
            8 | 32946 => Capacity::of_bits(bits, DEFLATE),
            // CCITT: a line without a change takes one bit, whatever its length.
            _ => Capacity {
                always: ALWAYS_BLANK,
                pixels_per_byte: 1 << 16,
            },
        }
    }

    /// Names a kind that the decoder lacks.
    fn check_kind(&self) -> Result<(), Error> {
        let unsupported = |kind: String| Err(Kind::Tiff.unsupported(kind));
        let compression = match self.compression {
            UNCOMPRESSED | 4 | 5 | JPEG | 8 | 32773 | 32946 => None,
            2 => Some("CCITT run-length".to_owned()),
            3 => Some("CCITT Group 3".to_owned()),
            6 => Some("JPEG compression of the old style".to_owned()),
            32771 => Some("CCITT run-length".to_owned()),
            34712 | 33003 | 33005 => Some("JPEG 2000".to_owned()),
            34925 => Some("LZMA".to_owned()),
            50000 => Some("Zstandard".to_owned()),
            34887 => Some("LERC".to_owned()),
            50001 => Some("WebP".to_owned()),
            50002 | 52546 => Some("JPEG XL".to_owned()),
            other => Some(format!("number {other}")),
        };
        if let Some(name) = compression {
            return unsupported(format!("compression: {name}"));
        }
        let bits = self.bits;
        match (self.photometric, self.samples) {
            (WHITE_IS_ZERO | BLACK_IS_ZERO, 1) => match (self.sample_format, bits) {
                (1 | 4, 1 | 8 | 16) => Ok(()),
                (3, _) => unsupported(format!("floating-point grey of {bits} bits")),
                (2, _) => unsupported(format!("signed grey of {bits} bits")),
                _ => unsupported(format!("grey of {bits} bits")),
            },
            (WHITE_IS_ZERO | BLACK_IS_ZERO, 2) => unsupported("grey with transparency".to_owned()),
            (PALETTE, 1) if bits == 8 => Ok(()),
            (PALETTE, _) => unsupported(format!("a palette with indices of {bits} bits")),
            (RGB | CMYK, 3..=4) => match (self.sample_format, bits) {
                (1 | 4, 8 | 16) => Ok(()),
                (3, 32) if self.photometric == RGB => Ok(()),
                _ => unsupported(format!("colour of {bits} bits in each channel")),
            },
            (YCBCR, 3) if self.compression == JPEG && bits == 8 => Ok(()),
            (YCBCR, _) => unsupported("YCbCr colour without JPEG compression".to_owned()),
            (8..=10, _) => unsupported("Lab colour".to_owned()),
            (32803 | 34892, _) => unsupported("a raw image of a camera".to_owned()),
            (_, samples) => unsupported(format!(
                "{samples} channels with photometric interpretation {}",
                self.photometric
            )),
        }
    }

    /// A tile is decoded as a whole, so that one may not be far larger than the image.
    fn check_tiles(&self, directory: &Directory) -> Result<(), Error> {
        let side = |tag| directory.first(tag).unwrap_or(1);
        let tile = side(tag::TILE_WIDTH).saturating_mul(side(tag::TILE_HEIGHT));
        let [width, height] = self.size.map(u64::from);
        match tile <= (width * height).saturating_mul(4).max(1 << 20) {
            true => Ok(()),
            false => Err(Kind::Tiff.damaged("its tiles are far larger than the image")),
        }
    }
}

/// The file as the decoder has to see it to give Pillow's pixels.
fn prepared<'a>(directory: &Directory<'a>, layout: &Layout) -> Result<Cow<'a, [u8]>, Error> {
    let mut bytes = Cow::Borrowed(directory.bytes);
    if layout.photometric == PALETTE {
        // The decoder lacks palettes: it reads indices as grey.
        directory.set(tag::PHOTOMETRIC, BLACK_IS_ZERO, bytes.to_mut());
    }
    // The decoder undoes a prediction that nothing made.
    if layout.compression == UNCOMPRESSED && directory.first(tag::PREDICTOR).unwrap_or(1) != 1 {
        directory.set(tag::PREDICTOR, 1, bytes.to_mut());
    }
    // The decoder ignores the order of bits; it has no meaning for JPEG.
    if directory.first(tag::FILL_ORDER) == Some(2) && layout.compression != JPEG {
        directory.set(tag::FILL_ORDER, 1, bytes.to_mut());
        reverse_bits(directory, bytes.to_mut())?;
    }
    Ok(bytes)
}

/// Reverses the bits of every byte of image data.
fn reverse_bits(directory: &Directory, bytes: &mut [u8]) -> Result<(), Error> {
    let mut left = bytes.len();
    for [offsets, lengths] in [
        [tag::STRIP_OFFSETS, tag::STRIP_BYTES],
        [tag::TILE_OFFSETS, tag::TILE_BYTES],
    ] {
        let parts = directory.values(offsets).zip(directory.values(lengths));
        for (offset, length) in parts {
            let (offset, length) = (offset as usize, length as usize);
            // Parts that overlap could be more than the file.
            let part = offset
                .checked_add(length)
                .and_then(|end| bytes.get_mut(offset..end));
            match (part, left.checked_sub(length)) {
                (Some(part), Some(rest)) => {
                    part.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
                    left = rest;
                }
                _ => return Err(Kind::Tiff.damaged("its image data is outside the file")),
            }
        }
    }
    Ok(())
}

/// The colours of indices. A colour map has all levels of red, then of green, then of blue, in 16 bits.
fn with_palette(image: DynamicImage, directory: &Directory) -> Result<DynamicImage, Error> {
    let map: Vec<u8> = directory
        .values(tag::COLOUR_MAP)
        .map(|level| high_byte(level as u16))
        .collect();
    if map.len() != 3 * 256 {
        return Err(Kind::Tiff.damaged("its palette does not have 256 colours"));
    }
    let (width, height) = (image.width(), image.height());
    let indices = image.into_luma8().into_raw();
    let colour = |index: u8| [0, 256, 512].map(|channel| map[channel + usize::from(index)]);
    let pixels = indices.into_iter().flat_map(colour).collect();
    RgbImage::from_raw(width, height, pixels)
        .map(DynamicImage::from)
        .ok_or_else(|| Kind::Tiff.damaged("its data is not valid"))
}

/// Divides colours by the opacity that they were multiplied with, in 8 bits, as Pillow does.
fn unmultiplied(image: DynamicImage) -> DynamicImage {
    let mut pixels = match image {
        DynamicImage::ImageRgba8(image) => image,
        DynamicImage::ImageRgba16(image) => {
            let (width, height) = image.dimensions();
            let levels = image.into_raw().into_iter().map(high_byte).collect();
            // As many levels as before.
            RgbaImage::from_raw(width, height, levels).unwrap_or_default()
        }
        other => return other,
    };
    for pixel in pixels.pixels_mut() {
        let [red, green, blue, opacity] = pixel.0;
        if opacity != 0 && opacity != 255 {
            let divided = |level: u8| (255 * u32::from(level) / u32::from(opacity)).min(255) as u8;
            pixel.0 = [divided(red), divided(green), divided(blue), opacity];
        }
    }
    pixels.into()
}

/// The orientation of the tag, or else of the XMP packet.
fn orientation(directory: &Directory) -> Orientation {
    let number = match directory.has(tag::ORIENTATION) {
        true => directory.first(tag::ORIENTATION),
        false => directory.data(tag::XMP).and_then(orientation_in_xmp),
    };
    number
        .and_then(|number| u8::try_from(number).ok())
        .and_then(Orientation::from_exif)
        .unwrap_or(Orientation::NoTransforms)
}

fn orientation_in_xmp(packet: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"tiff:Orientation";
    (0..packet.len()).find_map(|start| {
        let after = packet[start..].strip_prefix(NAME)?;
        let value = after
            .strip_prefix(b"=\"")
            .or_else(|| after.strip_prefix(b">"))?;
        let digit = value.first().filter(|digit| digit.is_ascii_digit())?;
        Some(u64::from(digit - b'0'))
    })
}
