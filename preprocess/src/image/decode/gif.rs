use std::borrow::Cow;

use image::DynamicImage;

use super::announced::Capacity;
use super::kind::Kind;
use super::{DecodeOptions, Decoded, announced, with_decoder};
use crate::Error;

/// Twelve bits of LZW make at most 4095 pixels.
const PIXELS_PER_BYTE: u64 = 2731;

/// Decodes the first frame of a GIF file. As in Pillow, the canvas grows to a frame that is larger, and what a smaller one
/// does not cover has its transparent colour, or else the first one.
pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Decoded, Error> {
    let frame = Frame::first(bytes).ok_or_else(|| Kind::Gif.damaged("it holds no image"))?;
    let capacity = Capacity::new(PIXELS_PER_BYTE);
    let size = frame.canvas();
    announced::check(Kind::Gif, size, bytes.len(), capacity, options)?;
    let mut prepared = Cow::Borrowed(bytes);
    if size != canvas(bytes) {
        let [width, height] = size.map(|side| (side as u16).to_le_bytes());
        prepared.to_mut()[6..10].copy_from_slice(&[width, height].concat());
    }
    let (image, _) = with_decoder(Kind::Gif, &prepared, capacity, options)?;
    Ok(frame.with_background(image).into())
}

/// Width and height in the header, whose length was looked at.
fn canvas(bytes: &[u8]) -> [u32; 2] {
    [short(bytes, 6), short(bytes, 8)].map(|side| side.unwrap_or(0).into())
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Where the first frame is, and what is around it.
struct Frame {
    /// Width and height in the header.
    header: [u32; 2],
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    background: [u8; 4],
}

impl Frame {
    fn first(bytes: &[u8]) -> Option<Self> {
        const TABLE: u8 = 0x80;
        let table_length = |flags: u8| match flags & TABLE {
            0 => 0,
            _ => 3usize << ((flags & 7) + 1),
        };
        let header = canvas(bytes);
        let flags = *bytes.get(10)?;
        let global = bytes.get(13..)?.get(..table_length(flags))?;
        let mut at = 13 + global.len();
        let mut transparent = None;
        loop {
            match bytes.get(at)? {
                // An extension: a label and blocks.
                b'!' => {
                    if *bytes.get(at + 1)? == 0xF9 {
                        let has_transparent = bytes.get(at + 3)? & 1 == 1;
                        transparent = has_transparent.then_some(*bytes.get(at + 6)?);
                    }
                    at = after_blocks(bytes, at + 2)?;
                }
                b',' => break,
                b';' => return None,
                // Pillow passes over anything else.
                _ => at += 1,
            }
        }
        let side = |place: usize| Some(u32::from(short(bytes, at + place)?));
        let flags = *bytes.get(at + 9)?;
        let local = bytes.get(at + 10..)?.get(..table_length(flags))?;
        let table = if local.is_empty() { global } else { local };
        let index = usize::from(transparent.unwrap_or(0));
        let (colours, _) = table.as_chunks::<3>();
        let [red, green, blue] = match colours.get(index) {
            Some(colour) => *colour,
            // Without a table, an index is a level of grey.
            None if colours.is_empty() => [index as u8; 3],
            None => [0; 3],
        };
        let opacity = if transparent.is_some() { 0 } else { 255 };
        Some(Self {
            header,
            left: side(1)?,
            top: side(3)?,
            width: side(5)?,
            height: side(7)?,
            background: [red, green, blue, opacity],
        })
    }

    /// Width and height of the header, or of the frame where it is larger.
    fn canvas(&self) -> [u32; 2] {
        let most = u32::from(u16::MAX);
        [
            self.header[0].max(self.left + self.width).min(most),
            self.header[1].max(self.top + self.height).min(most),
        ]
    }

    /// Fills what the frame does not cover.
    fn with_background(&self, image: DynamicImage) -> DynamicImage {
        let is_covered = |x, y| {
            (self.left..self.left + self.width).contains(&x)
                && (self.top..self.top + self.height).contains(&y)
        };
        let covers_all = [self.left, self.top] == [0, 0]
            && [self.width, self.height] == [image.width(), image.height()];
        if covers_all {
            return image;
        }
        let mut image = image.into_rgba8();
        for (x, y, pixel) in image.enumerate_pixels_mut() {
            if !is_covered(x, y) {
                pixel.0 = self.background;
            }
        }
        image.into()
    }
}

/// The place after blocks, each of which begins with its length, the last with zero.
fn after_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}
