use image::metadata::Orientation;
use image::{DynamicImage, GrayAlphaImage, RgbaImage};

use super::announced::Capacity;
use super::kind::Kind;
use super::levels::{clipped, high_byte};
use super::{DecodeOptions, Decoded, announced, with_decoder};
use crate::Error;

/// Deflate makes at most 1032 bytes of one.
pub(super) const DEFLATE: u64 = 1032;

const SIGNATURE: usize = 8;
const GREY: u8 = 0;
const RGB: u8 = 2;
const PALETTE: u8 = 3;

/// Decodes a PNG file.
///
/// The decoder gets only the chunks that pixels are made of: others may expand to anything, and the colour that is
/// transparent (`tRNS`) in an image without a palette is looked for here, as Pillow does: among levels of 8 bits.
pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Decoded, Error> {
    decode_with(bytes, options, true)
}

/// Decodes the PNG file of an icon, in which Pillow ignores `tRNS`.
pub(super) fn of_icon(bytes: &[u8], options: &DecodeOptions) -> Result<Decoded, Error> {
    decode_with(bytes, options, false)
}

fn decode_with(
    bytes: &[u8],
    options: &DecodeOptions,
    has_transparency: bool,
) -> Result<Decoded, Error> {
    let header = Header::of(bytes)?;
    let capacity = Capacity::of_bits(header.bits_per_pixel(), DEFLATE);
    announced::check(Kind::Png, header.size, bytes.len(), capacity, options)?;
    let chunks = Chunks::of(bytes, &header, has_transparency)?;
    let (image, _) = with_decoder(Kind::Png, &chunks.of_pixels, capacity, options)?;
    let image = match chunks.transparent {
        Some(colour) => with_transparency(image, &header, colour),
        None => image,
    };
    let orientation = chunks.exif.and_then(Orientation::from_exif_chunk);
    Ok(Decoded {
        image,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
    })
}

struct Header {
    size: [u32; 2],
    depth: u8,
    colour_type: u8,
}

impl Header {
    fn of(bytes: &[u8]) -> Result<Self, Error> {
        // After the signature: length, name, width, height, depth, colour type.
        let number = |at: usize| -> Option<u32> {
            Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
        };
        let header = || {
            Some(Self {
                size: [number(16)?, number(20)?],
                depth: *bytes.get(24)?,
                colour_type: *bytes.get(25)?,
            })
        };
        match header() {
            Some(header) if bytes[12..16] == *b"IHDR" => Ok(header),
            _ => Err(Kind::Png.damaged("it has no header")),
        }
    }

    fn bits_per_pixel(&self) -> u64 {
        let channels = match self.colour_type {
            RGB => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };
        u64::from(self.depth) * channels
    }
}

struct Chunks<'a> {
    /// A PNG file with the chunks that pixels are made of.
    of_pixels: Vec<u8>,
    /// The colour that is transparent in an image without a palette, as it is in the file.
    transparent: Option<[u16; 3]>,
    exif: Option<&'a [u8]>,
}

impl<'a> Chunks<'a> {
    fn of(bytes: &'a [u8], header: &Header, has_transparency: bool) -> Result<Self, Error> {
        let mut chunks = Self {
            of_pixels: bytes[..SIGNATURE].to_vec(),
            transparent: None,
            exif: None,
        };
        let mut rest = &bytes[SIGNATURE..];
        let mut has_data = false;
        while let Some(length) = rest.first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            let Some(end) = length.checked_add(12).filter(|end| *end <= rest.len()) else {
                break;
            };
            let (chunk, after) = rest.split_at(end);
            let content = &chunk[8..8 + length];
            let is_pixels = match &chunk[4..8] {
                b"IDAT" => {
                    has_data = true;
                    true
                }
                // The decoder fails at a colour that is cut short.
                b"PLTE" if !length.is_multiple_of(3) || length > 3 * 256 => {
                    let reason = format!("its palette has {length} bytes, not 3 for each colour");
                    return Err(Kind::Png.damaged(reason));
                }
                b"tRNS" if !has_transparency => false,
                b"tRNS" if header.colour_type == PALETTE => true,
                b"tRNS" => {
                    if !has_data {
                        chunks.transparent = colour(content, header.colour_type);
                    }
                    false
                }
                b"eXIf" => {
                    chunks.exif = Some(content);
                    false
                }
                name => matches!(name, b"IHDR" | b"PLTE" | b"IEND"),
            };
            if is_pixels {
                chunks.of_pixels.extend(chunk);
            }
            rest = after;
            if &chunk[4..8] == b"IEND" {
                return Ok(chunks);
            }
        }
        // A chunk that is cut short: the decoder says what is missing.
        chunks.of_pixels.extend(rest);
        Ok(chunks)
    }
}

fn colour(content: &[u8], colour_type: u8) -> Option<[u16; 3]> {
    let (levels, _) = content.as_chunks::<2>();
    let level = |channel: usize| levels.get(channel).map(|level| u16::from_be_bytes(*level));
    match colour_type {
        GREY => Some([level(0)?; 3]),
        RGB => Some([level(0)?, level(1)?, level(2)?]),
        _ => None,
    }
}

/// Makes a colour transparent as Pillow does: it makes levels of 8 bits first and then compares them with the low bytes of
/// the file's colour.
fn with_transparency(image: DynamicImage, header: &Header, colour: [u16; 3]) -> DynamicImage {
    let (width, height) = (image.width(), image.height());
    let level = match (header.colour_type, header.depth) {
        (GREY, 1) => [if colour[0] == 0 { 0 } else { 255 }; 3],
        _ => colour.map(|level| level as u8),
    };
    let opacity = |is_transparent: bool| if is_transparent { 0 } else { 255 };
    let changed = match image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageLuma16(_) => {
            let levels: Vec<u8> = match image {
                DynamicImage::ImageLuma16(image) => {
                    image.into_raw().into_iter().map(clipped).collect()
                }
                image => image.into_bytes(),
            };
            let pixels = levels.into_iter();
            let pixels = pixels.flat_map(|grey| [grey, opacity(grey == level[0])]);
            GrayAlphaImage::from_raw(width, height, pixels.collect()).map(Into::into)
        }
        DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgb16(_) => {
            let colours = match image {
                DynamicImage::ImageRgb16(image) => {
                    image.into_raw().into_iter().map(high_byte).collect()
                }
                image => image.into_bytes(),
            };
            let (colours, _) = colours.as_chunks::<3>();
            let pixel = |colour: &[u8; 3]| {
                let [red, green, blue] = *colour;
                [red, green, blue, opacity(*colour == level)]
            };
            let pixels = colours.iter().flat_map(pixel).collect();
            RgbaImage::from_raw(width, height, pixels).map(Into::into)
        }
        other => return other,
    };
    // The buffer has the length of the image that it was made from.
    changed.unwrap_or_else(|| DynamicImage::new_rgb8(width, height))
}
