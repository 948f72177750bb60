use super::DecodeOptions;
use super::kind::Kind;
use crate::Error;

/// The number of pixels that a file of any size may announce: a picture of one colour can be very short.
const ALWAYS: u64 = 1 << 20;

/// The same for what can hold a page without a mark in almost nothing, such as a lossless WebP.
pub(super) const ALWAYS_BLANK: u64 = 1 << 24;

/// The most memory that decoding takes for a pixel beside the file: what the decoder keeps, its result, and RGB made of it.
const BYTES_PER_PIXEL: u64 = 24;

/// How much a format can hold.
#[derive(Clone, Copy)]
pub(super) struct Capacity {
    /// The number of pixels that a file of any size may announce.
    pub(super) always: u64,
    /// The most pixels that a byte of the file can hold.
    pub(super) pixels_per_byte: u64,
}

impl Capacity {
    pub(super) fn new(pixels_per_byte: u64) -> Self {
        Self {
            always: ALWAYS,
            pixels_per_byte,
        }
    }

    /// The capacity of data whose pixels have a number of bits, compressed to one byte for at most so many.
    pub(super) fn of_bits(bits_per_pixel: u64, bytes_per_byte: u64) -> Self {
        Self::new((bytes_per_byte * 8).div_ceil(bits_per_pixel.max(1)))
    }
}

/// Refuses an image whose header announces more pixels than allowed, or more than its bytes can hold.
///
/// Compressed formats expand without a practical limit in one direction only: the header is written first and costs
/// nothing. So each has a bound from how it is coded, such as 1032 bytes for one with Deflate, and memory is in proportion
/// to the file.
pub(super) fn check(
    kind: Kind,
    [width, height]: [u32; 2],
    bytes: usize,
    capacity: Capacity,
    options: &DecodeOptions,
) -> Result<(), Error> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels > options.max_pixels {
        return Err(Error::ImageTooLarge {
            width,
            height,
            limit: options.max_pixels,
        });
    }
    if pixels == 0 {
        return Err(kind.damaged(format!("its header announces {width} x {height} pixels")));
    }
    let most = (bytes as u64).saturating_mul(capacity.pixels_per_byte);
    if pixels > most.max(capacity.always) {
        return Err(kind.damaged(format!(
            "its header announces {width} x {height} pixels, more than {bytes} bytes can hold"
        )));
    }
    ask_for_memory([width, height], pixels)
}

/// Asks for the memory that decoding a large image takes, and gives it back: decoders stop the whole program if they get
/// none.
fn ask_for_memory([width, height]: [u32; 2], pixels: u64) -> Result<(), Error> {
    if pixels <= ALWAYS {
        return Ok(()); // where there is not as much, nothing else works either
    }
    let needed = usize::try_from(pixels.saturating_mul(BYTES_PER_PIXEL)).unwrap_or(usize::MAX);
    let mut memory: Vec<u8> = Vec::new();
    memory
        .try_reserve_exact(needed)
        .map_err(|_| Error::OutOfMemory { width, height })
}
