use image::{DynamicImage, GrayImage, RgbImage};

use super::announced::Capacity;
use super::kind::Kind;
use super::levels::clipped;
use super::{DecodeOptions, Decoded, announced, with_decoder};
use crate::Error;

/// Decodes PBM, PGM and PPM (`P1` to `P6`) as Pillow does, and PAM (`P7`).
///
/// Levels are scaled to 255 by one division, rounded to the nearest, ties to even. Grey of more than 8 bits is scaled to
/// 65535 and clipped, as Pillow clips all grey of 16 bits.
pub(super) fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Decoded, Error> {
    let capacity = Capacity::new(8);
    let digit = bytes[1];
    if digit == b'7' {
        let (image, _) = with_decoder(Kind::Pnm, bytes, capacity, options)?;
        return Ok(image.into());
    }
    let mut tokens = Tokens(&bytes[2..]);
    let size = [tokens.number("width")?, tokens.number("height")?];
    announced::check(Kind::Pnm, size, bytes.len(), capacity, options)?;
    let maximum = match digit {
        b'1' | b'4' => 1,
        _ => tokens.number("largest level")?,
    };
    let Some(maximum) = u16::try_from(maximum).ok().filter(|maximum| *maximum > 0) else {
        let reason = format!("its largest level is {maximum}, which should be 1 to 65535");
        return Err(Kind::Pnm.damaged(reason));
    };
    let [width, height] = size;
    let channels = if matches!(digit, b'3' | b'6') { 3 } else { 1 };
    // Fits, since `announced::check` bounds it by the size of the file.
    let count = width as usize * height as usize * channels;
    let to_level = scale(maximum, channels == 1);
    let levels: Vec<u8> = match digit {
        b'1' => tokens.bits(count)?.into_iter().map(ink).collect(),
        b'4' => packed_bits(tokens.0, width as usize, height as usize)?,
        b'2' | b'3' => tokens
            .samples(count, maximum)?
            .into_iter()
            .map(to_level)
            .collect(),
        _ => binary(tokens.0, count, maximum)?.map(to_level).collect(),
    };
    let image = match channels {
        1 => GrayImage::from_raw(width, height, levels).map(DynamicImage::from),
        _ => RgbImage::from_raw(width, height, levels).map(DynamicImage::from),
    };
    image.map(Decoded::from).ok_or_else(cut)
}

fn cut() -> Error {
    Kind::Pnm.damaged("the file ends before the last pixel")
}

/// One is ink, which is black.
fn ink(bit: bool) -> u8 {
    if bit { 0 } else { 255 }
}

/// The level of 8 bits of a sample of 0 to `maximum`.
fn scale(maximum: u16, is_grey: bool) -> impl Fn(u16) -> u8 {
    let largest = if is_grey && maximum > 255 {
        65535.0
    } else {
        255.0
    };
    move |sample| {
        let level = (f64::from(sample) / f64::from(maximum) * largest).round_ties_even();
        clipped(level.min(largest) as u16)
    }
}

fn packed_bits(bytes: &[u8], width: usize, height: usize) -> Result<Vec<u8>, Error> {
    let line = width.div_ceil(8);
    let bytes = bytes.get(..line * height).ok_or_else(cut)?;
    let bits = |line: &[u8]| -> Vec<u8> {
        let bit = |x: usize| line[x / 8] >> (7 - x % 8) & 1 == 1;
        (0..width).map(|x| ink(bit(x))).collect()
    };
    Ok(bytes.chunks_exact(line).flat_map(bits).collect())
}

fn binary(
    bytes: &[u8],
    count: usize,
    maximum: u16,
) -> Result<Box<dyn Iterator<Item = u16> + '_>, Error> {
    if maximum < 256 {
        let bytes = bytes.get(..count).ok_or_else(cut)?;
        return Ok(Box::new(bytes.iter().map(|byte| u16::from(*byte))));
    }
    let (pairs, _) = bytes.as_chunks::<2>();
    let pairs = pairs.get(..count).ok_or_else(cut)?;
    Ok(Box::new(pairs.iter().map(|pair| u16::from_be_bytes(*pair))))
}

/// What follows, read word by word.
struct Tokens<'a>(&'a [u8]);

/// No number of a file has more digits.
const MAX_DIGITS: usize = 10;

impl Tokens<'_> {
    /// The next number of the header, and the one white space after it. A comment may stand anywhere in it.
    fn number(&mut self, what: &str) -> Result<u32, Error> {
        let mut digits = String::new();
        while let Some((first, rest)) = self.0.split_first() {
            self.0 = rest;
            match first {
                b'#' => self.skip_line(),
                byte if is_space(*byte) => {
                    if !digits.is_empty() {
                        break;
                    }
                }
                byte => digits.push(char::from(*byte)),
            }
            if digits.len() > MAX_DIGITS {
                break;
            }
        }
        digits
            .parse()
            .map_err(|_| Kind::Pnm.damaged(format!("its {what} is not a number")))
    }

    /// A comment ends with its line, which includes the end of the line.
    fn skip_line(&mut self) {
        let end = self.0.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        self.0 = match end {
            Some(end) => &self.0[end + 1..],
            None => &[],
        };
    }

    /// Bits as text, with or without white space between them.
    fn bits(&mut self, count: usize) -> Result<Vec<bool>, Error> {
        let mut bits = Vec::with_capacity(count.min(self.0.len()));
        while bits.len() < count {
            let (first, rest) = self.0.split_first().ok_or_else(cut)?;
            self.0 = rest;
            match first {
                b'0' | b'1' => bits.push(*first == b'1'),
                b'#' => self.skip_line(),
                byte if is_space(*byte) => {}
                _ => return Err(Kind::Pnm.damaged("a pixel is neither 0 nor 1")),
            }
        }
        Ok(bits)
    }

    /// Samples as text. A comment joins what is before and after it, as in Pillow.
    fn samples(&mut self, count: usize, maximum: u16) -> Result<Vec<u16>, Error> {
        let mut samples = Vec::with_capacity(count.min(self.0.len()));
        while samples.len() < count {
            if self.0.iter().all(|byte| is_space(*byte)) {
                return Err(cut());
            }
            let sample = self.number("sample")?;
            match u16::try_from(sample)
                .ok()
                .filter(|sample| *sample <= maximum)
            {
                Some(sample) => samples.push(sample),
                None => {
                    let reason = format!("a sample is {sample}, above the largest, {maximum}");
                    return Err(Kind::Pnm.damaged(reason));
                }
            }
        }
        Ok(samples)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
