use std::cmp::Reverse;

use image::{DynamicImage, RgbaImage};

use super::bmp::{self, FILE_HEADER, Header};
use super::kind::Kind;
use super::{DecodeOptions, Decoded, png};
use crate::Error;

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Decodes the image of an icon that Pillow takes: the largest one, and of several the one with the fewest bits.
pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Decoded, Error> {
    let entries = Entry::all(bytes)
        .ok_or_else(|| Kind::Ico.damaged("its directory is longer than the file"))?;
    let entry = entries
        .iter()
        .min_by_key(|entry| (Reverse(entry.area), entry.depth))
        .ok_or_else(|| Kind::Ico.damaged("it holds no image"))?;
    let content = bytes.get(entry.offset..).unwrap_or(&[]);
    match content.starts_with(PNG_SIGNATURE) {
        true => png::of_icon(content, options),
        false => entry.bitmap(bytes, content, options),
    }
}

struct Entry {
    area: u32,
    /// Bits of a pixel, for the order of entries.
    depth: u32,
    /// Bits of a pixel, as the directory says.
    bits: u16,
    length: usize,
    offset: usize,
}

impl Entry {
    fn all(bytes: &[u8]) -> Option<Vec<Self>> {
        let count = usize::from(u16::from_le_bytes(*bytes.get(4..)?.first_chunk()?));
        let (entries, _) = bytes.get(6..)?.as_chunks::<16>();
        Some(entries.get(..count)?.iter().map(Self::read).collect())
    }

    fn read(entry: &[u8; 16]) -> Self {
        let side = |side: u8| if side == 0 { 256 } else { u32::from(side) };
        let long = |at: usize| {
            u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]])
        };
        let bits = u16::from_le_bytes([entry[6], entry[7]]);
        let colours = u32::from(entry[2]);
        // The number of bits that count the colours.
        let depth = match (bits, colours) {
            (0, 0 | 1) => 256,
            (0, _) => (colours - 1).ilog2() + 1,
            _ => bits.into(),
        };
        Self {
            area: side(entry[0]) * side(entry[1]),
            depth,
            bits,
            length: long(8) as usize,
            offset: long(12) as usize,
        }
    }

    /// An image of colours and, below it, a mask of one bit for what is transparent.
    fn bitmap(
        &self,
        bytes: &[u8],
        content: &[u8],
        options: &DecodeOptions,
    ) -> Result<Decoded, Error> {
        let cut = || Kind::Ico.damaged("the file ends too early");
        let mut header = Header::read(content).ok_or_else(cut)?;
        header.size[1] /= 2;
        let [width, height] = header.size.map(|side| side as usize);
        let start = pixels_of(&header);
        let file = as_file(&header, start, content).ok_or_else(cut)?;
        let image = bmp::decode(&file, options)?.image.into_rgb8();
        // What follows was bounded with the image.
        let opacity: Vec<u8> = if self.bits == 32 && header.bits == 32 {
            let (pixels, _) = content.get(start..).unwrap_or(&[]).as_chunks::<4>();
            let pixels = pixels.get(..width * height).ok_or_else(cut)?;
            let lines = pixels.chunks_exact(width).rev();
            lines.flatten().map(|pixel| pixel[3]).collect()
        } else {
            let stride = width.div_ceil(32) * 4;
            // The mask is at the end of the entry.
            let end = self.offset.saturating_add(self.length);
            let start = end.checked_sub(stride * height).ok_or_else(cut)?;
            let mask = bytes.get(start..end).ok_or_else(cut)?;
            let is_clear = |line: &[u8], x: usize| line[x / 8] >> (7 - x % 8) & 1 == 1;
            let opacity = |line, x| if is_clear(line, x) { 0 } else { 255 };
            let lines = mask.chunks_exact(stride).rev();
            lines
                .flat_map(|line| (0..width).map(move |x| opacity(line, x)))
                .collect()
        };
        let pixels = image.pixels().zip(opacity);
        let pixels = pixels.flat_map(|(pixel, opacity)| {
            let [red, green, blue] = pixel.0;
            [red, green, blue, opacity]
        });
        RgbaImage::from_raw(header.size[0], header.size[1], pixels.collect())
            .map(|image| DynamicImage::from(image).into())
            .ok_or_else(cut)
    }
}

/// Where the pixels begin after the start of the header: after bit fields and a palette.
fn pixels_of(header: &Header) -> usize {
    let fields = match (header.length, header.compression) {
        (40, 3) => 12,
        _ => 0,
    };
    let colours = match (header.bits, header.colours) {
        (1..=8, 0) => 1 << header.bits,
        (1..=8, colours) => colours as usize,
        _ => 0,
    };
    let colour_length = if header.length == 12 { 3 } else { 4 };
    (header.length + fields).saturating_add(colours.saturating_mul(colour_length))
}

/// A BMP file with the image of colours.
fn as_file(header: &Header, start: usize, content: &[u8]) -> Option<Vec<u8>> {
    let height_at = if header.length == 12 { 6 } else { 8 };
    let mut file = Vec::with_capacity(FILE_HEADER + content.len());
    file.extend(b"BM");
    file.extend(
        u32::try_from(FILE_HEADER + content.len())
            .ok()?
            .to_le_bytes(),
    );
    file.extend([0; 4]);
    file.extend(
        u32::try_from(FILE_HEADER.checked_add(start)?)
            .ok()?
            .to_le_bytes(),
    );
    file.extend(content);
    let height = header.size[1].to_le_bytes();
    let length = if header.length == 12 { 2 } else { 4 };
    let place = file.get_mut(FILE_HEADER + height_at..)?.get_mut(..length)?;
    place.copy_from_slice(&height[..length]);
    Some(file)
}
