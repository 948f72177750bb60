use image::{DynamicImage, RgbaImage};

use super::announced::Capacity;
use super::kind::Kind;
use super::{DecodeOptions, Decoded, announced, with_decoder};
use crate::Error;

/// Length of what is before the header of the bitmap in a file.
pub(super) const FILE_HEADER: usize = 14;

const RAW: u32 = 0;
const RLE8: u32 = 1;
const RLE4: u32 = 2;
const BITFIELDS: u32 = 3;

/// Decodes a BMP file. Pixels with bit fields, and all of 16 bits, are decoded here, because Pillow scales their levels
/// by one truncated division; everything else by the decoder.
pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Decoded, Error> {
    let header = Header::of(bytes)?;
    let bits = header.bits;
    let capacity = match header.compression {
        RAW | BITFIELDS => Capacity::of_bits(bits.into(), 1),
        // A file may end a picture, or skip lines of it, with two bytes.
        _ => Capacity::new(1 << 14),
    };
    announced::check(Kind::Bmp, header.size, bytes.len(), capacity, options)?;
    match (header.compression, bits) {
        (BITFIELDS, 16 | 24 | 32) | (RAW, 16) => header.with_bit_fields(bytes),
        (RAW | RLE8 | RLE4, _) => {
            with_decoder(Kind::Bmp, bytes, capacity, options).map(|(image, _)| image.into())
        }
        (4, _) => Err(Kind::Bmp.unsupported("a JPEG image inside")),
        (5, _) => Err(Kind::Bmp.unsupported("a PNG image inside")),
        (other, _) => Err(Kind::Bmp.unsupported(format!("compression {other}, {bits} bits"))),
    }
}

/// What the header of a bitmap says.
pub(super) struct Header {
    /// Length of the header.
    pub(super) length: usize,
    /// Width and height.
    pub(super) size: [u32; 2],
    pub(super) bits: u16,
    pub(super) compression: u32,
    /// Number of colours of the palette, 0 if it is as large as it can be.
    pub(super) colours: u32,
    is_top_down: bool,
}

impl Header {
    /// The header of a file.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, Error> {
        let header = bytes.get(FILE_HEADER..).and_then(Self::read);
        header.ok_or_else(|| Kind::Bmp.damaged("the file ends too early"))
    }

    /// The header that is at the start of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let length = number(bytes, 0)?;
        if length == 12 {
            let short = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
            return Some(Self {
                length: 12,
                size: [short(4)?.into(), short(6)?.into()],
                bits: short(10)?,
                compression: RAW,
                colours: 0,
                is_top_down: false,
            });
        }
        let height = number(bytes, 8)? as i32;
        Some(Self {
            length: usize::try_from(length).ok()?,
            size: [number(bytes, 4)?, height.unsigned_abs()],
            bits: (number(bytes, 12)? >> 16) as u16,
            compression: number(bytes, 16)?,
            colours: number(bytes, 32)?,
            is_top_down: height < 0,
        })
    }

    /// Number of bytes from one line to the next.
    fn stride(&self) -> usize {
        (self.size[0] as usize * usize::from(self.bits)).div_ceil(32) * 4
    }

    /// Decodes pixels whose channels are bits of a number of 16, 24 or 32 bits.
    fn with_bit_fields(&self, bytes: &[u8]) -> Result<Decoded, Error> {
        let cut = || Kind::Bmp.damaged("the file ends before the last pixel");
        let fields = self.fields(bytes)?;
        let start = number(bytes, 10).ok_or_else(cut)? as usize;
        let [width, height] = self.size.map(|side| side as usize);
        let stride = self.stride();
        let lines = start
            .checked_add(stride * height)
            .and_then(|end| bytes.get(start..end))
            .ok_or_else(cut)?;
        let pixel_length = usize::from(self.bits / 8);
        let mut pixels = Vec::with_capacity(width * height * 4);
        for row in 0..height {
            let row = if self.is_top_down {
                row
            } else {
                height - 1 - row
            };
            let line = &lines[row * stride..][..width * pixel_length];
            for pixel in line.chunks_exact(pixel_length) {
                let pixel = pixel
                    .iter()
                    .rev()
                    .fold(0, |sum, byte| sum << 8 | u32::from(*byte));
                pixels.extend(fields.map(|field| field.level(pixel)));
            }
        }
        // The sides are those that the buffer was made for.
        let image = RgbaImage::from_raw(self.size[0], self.size[1], pixels).ok_or_else(cut)?;
        let image = DynamicImage::from(image);
        Ok(match fields[3].mask {
            0 => DynamicImage::from(image.into_rgb8()).into(),
            _ => image.into(),
        })
    }

    /// The fields of red, green, blue and opacity.
    fn fields(&self, bytes: &[u8]) -> Result<[Field; 4], Error> {
        let is_wide = self.bits == 32;
        let mut masks = [0x7C00, 0x3E0, 0x1F, 0];
        if self.compression == BITFIELDS {
            // They follow the shortest header, and are part of longer ones at the same place.
            let mask = |index: usize| number(bytes, FILE_HEADER + 40 + index * 4).unwrap_or(0);
            // Only the longer headers have a mask for opacity, and Pillow reads it with 32 bits only.
            let opacity = if self.length >= 56 && is_wide {
                mask(3)
            } else {
                0
            };
            masks = [mask(0), mask(1), mask(2), opacity];
            if is_wide && masks == [0; 4] {
                masks = [0xFF_0000, 0xFF00, 0xFF, 0xFF00_0000];
            }
        }
        let fields = masks.map(|mask| Field { mask });
        let are_usable = fields[..3].iter().all(|field| field.mask != 0)
            && fields.iter().all(|field| field.is_contiguous());
        match are_usable {
            true => Ok(fields),
            false => Err(Kind::Bmp.unsupported("bit fields that have gaps or lack a colour")),
        }
    }
}

/// The bits of a channel.
#[derive(Clone, Copy)]
struct Field {
    mask: u32,
}

impl Field {
    fn is_contiguous(self) -> bool {
        self.mask == 0 || (self.largest() & self.largest().wrapping_add(1)) == 0
    }

    /// The largest value of the field.
    fn largest(self) -> u32 {
        self.mask >> self.mask.trailing_zeros().min(31)
    }

    /// The level, scaled to 255 and truncated.
    fn level(self, pixel: u32) -> u8 {
        match self.mask {
            0 => 255,
            mask => {
                let value = (pixel & mask) >> mask.trailing_zeros();
                (u64::from(value) * 255 / u64::from(self.largest())) as u8
            }
        }
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_scaled_by_a_truncated_division() {
        let field = Field { mask: 0x7E0 };
        for value in 0..64 {
            let expected = (value * 255 / 63) as u8;
            assert_eq!(field.level(value << 5), expected);
        }
        let whole = Field { mask: u32::MAX };
        assert_eq!(whole.level(u32::MAX), 255);
    }

    #[test]
    fn gaps_are_found() {
        for mask in [0x5, 0xF0F, 0x8000_0001] {
            assert!(!Field { mask }.is_contiguous());
        }
        for mask in [0, 1, 0x7E0, 0x8000_0000, u32::MAX] {
            assert!(Field { mask }.is_contiguous());
        }
    }
}
