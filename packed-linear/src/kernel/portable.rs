//! Kernels in plain Rust, written so that compilers make vectors of any instruction set of the
//! loops over the 32 outputs of a panel.

use super::tile::{BLOCK_STEPS, Sums, Tile};
use super::vector::{LARGE, Vector};
use super::{Kernel, tiles, vector_functions};
use crate::pack::scale;
use crate::shape::LANES;

pub(super) const F32: Kernel = kernel(tiles!(f32_tile: 1 2));
pub(super) const BF16: Kernel = kernel(tiles!(bf16_tile: 1 2));
pub(super) const INT8: Kernel = kernel(tiles!(int8_tile: 1 2));
pub(super) const INT4: Kernel = kernel(tiles!(int4_tile: 1 2));

const fn kernel(tiles: &'static [super::TileFunction]) -> Kernel {
    Kernel {
        name: "portable",
        tiles,
        finish,
        pack,
        attend,
        is_available: || true,
    }
}

vector_functions!([f32; 8]);

/// The parts of a tile as slices.
struct Slices<'a, const ROWS: usize> {
    words: &'a [u32],
    rows: &'a [[u32; ROWS]],
    sums: &'a mut [Sums; ROWS],
}

/// # Safety
/// The tile was made by [`Tile::new`] for `ROWS` rows.
unsafe fn slices<'a, const ROWS: usize>(
    tile: &Tile<'a>,
    scale_words: usize,
    per_step: usize,
) -> Slices<'a, ROWS> {
    let words = tile.groups * (scale_words + tile.steps * LANES);
    let steps = tile.groups * tile.steps * per_step;
    // SAFETY: as many sums as rows.
    unsafe { tile.clear_before::<ROWS>(0) };
    // SAFETY: as long as the slices that the tile was made of.
    unsafe {
        Slices {
            words: std::slice::from_raw_parts(tile.words, words),
            rows: std::slice::from_raw_parts(tile.rows.cast(), steps),
            sums: &mut *tile.sums.cast(),
        }
    }
}

unsafe fn f32_tile<const ROWS: usize>(tile: &Tile<'_>) {
    // SAFETY: as the caller promises.
    let Slices { words, rows, sums } = unsafe { slices::<ROWS>(tile, 0, 1) };
    in_blocks(words, rows, sums, |words, row, sums| {
        let value = f32::from_bits(row);
        for (sum, word) in sums.iter_mut().zip(words) {
            *sum += f32::from_bits(*word) * value;
        }
    });
}

unsafe fn bf16_tile<const ROWS: usize>(tile: &Tile<'_>) {
    // SAFETY: as the caller promises.
    let Slices { words, rows, sums } = unsafe { slices::<ROWS>(tile, 0, 1) };
    let low = |word: u32| f32::from_bits(word << 16);
    let high = |word: u32| f32::from_bits(word & 0xffff_0000);
    in_blocks(words, rows, sums, |words, row, sums| {
        for (sum, word) in sums.iter_mut().zip(words) {
            *sum += low(*word) * low(row) + high(*word) * high(row);
        }
    });
}

/// Sums products block by block; `multiply` gets the words of a step, that of a row for it, and the sums.
#[inline(always)]
fn in_blocks<const ROWS: usize>(
    words: &[u32],
    rows: &[[u32; ROWS]],
    sums: &mut [Sums; ROWS],
    multiply: impl Fn(&[u32; LANES], u32, &mut Sums),
) {
    let (steps, _) = words.as_chunks::<LANES>();
    for (steps, rows) in steps.chunks(BLOCK_STEPS).zip(rows.chunks(BLOCK_STEPS)) {
        let mut block = [[0.0; LANES]; ROWS];
        for (words, rows) in steps.iter().zip(rows) {
            for (sums, row) in block.iter_mut().zip(rows) {
                multiply(words, *row, sums);
            }
        }
        for (sums, block) in sums.iter_mut().zip(&block) {
            for (sum, value) in sums.iter_mut().zip(block) {
                *sum += value;
            }
        }
    }
}

unsafe fn int8_tile<const ROWS: usize>(tile: &Tile<'_>) {
    // SAFETY: as the caller promises.
    let Slices { words, rows, sums } = unsafe { slices::<ROWS>(tile, LANES / 2, 1) };
    integers(
        words,
        rows,
        sums,
        tile.steps,
        |word, row: [u32; 1], sums| {
            for byte in 0..4 {
                let value = i32::from((row[0] >> (8 * byte)) as u8 as i8);
                for (sum, word) in sums.iter_mut().zip(word) {
                    *sum += ((word >> (8 * byte) & 0xff) as i32 - 128) * value;
                }
            }
        },
    );
}

unsafe fn int4_tile<const ROWS: usize>(tile: &Tile<'_>) {
    // SAFETY: as the caller promises.
    let Slices { words, rows, sums } = unsafe { slices::<ROWS>(tile, LANES / 2, 2) };
    integers(
        words,
        rows,
        sums,
        tile.steps,
        |word, row: [u32; 2], sums| {
            for (half, row) in row.iter().enumerate() {
                for byte in 0..4 {
                    let value = i32::from((row >> (8 * byte)) as u8 as i8);
                    for (sum, word) in sums.iter_mut().zip(word) {
                        *sum += ((word >> (8 * byte + 4 * half) & 0xf) as i32 - 8) * value;
                    }
                }
            }
        },
    );
}

/// Sums whole numbers group by group; `multiply` gets the words of a step, those of a row for it,
/// and the sums.
#[inline(always)]
fn integers<const ROWS: usize, const PER_STEP: usize>(
    words: &[u32],
    rows: &[[u32; ROWS]],
    sums: &mut [Sums; ROWS],
    steps: usize,
    multiply: impl Fn(&[u32; LANES], [u32; PER_STEP], &mut [i32; LANES]),
) {
    let groups = words.chunks_exact(LANES / 2 + steps * LANES);
    for (words, rows) in groups.zip(rows.chunks_exact(steps * PER_STEP)) {
        let (scales, words) = words.split_at(LANES / 2);
        let (words, _) = words.as_chunks::<LANES>();
        let mut whole = [[0i32; LANES]; ROWS];
        for (words, rows) in words.iter().zip(rows.chunks_exact(PER_STEP)) {
            for (row, whole) in whole.iter_mut().enumerate() {
                multiply(words, std::array::from_fn(|part| rows[part][row]), whole);
            }
        }
        for (sums, whole) in sums.iter_mut().zip(&whole) {
            for (lane, (sum, whole)) in sums.iter_mut().zip(whole).enumerate() {
                *sum += *whole as f32 * scale(scales, lane);
            }
        }
    }
}

impl Vector for [f32; 8] {
    const NUMBERS: usize = 8;

    #[inline(always)]
    unsafe fn splat(number: f32) -> Self {
        [number; 8]
    }

    #[inline(always)]
    unsafe fn load(numbers: *const f32) -> Self {
        // SAFETY: as the caller promises; alignment is that of single numbers.
        unsafe { *numbers.cast() }
    }

    #[inline(always)]
    unsafe fn store(self, numbers: *mut f32) {
        // SAFETY: likewise.
        unsafe { *numbers.cast() = self };
    }

    #[inline(always)]
    unsafe fn multiply_add(mut self, factor: Self, summand: Self) -> Self {
        for place in 0..8 {
            self[place] = self[place] * factor[place] + summand[place];
        }
        self
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self;
        ((a + b) + (c + d)) + ((e + f) + (g + h))
    }

    #[inline(always)]
    unsafe fn divide(mut self, divisor: Self) -> Self {
        for place in 0..8 {
            self[place] /= divisor[place];
        }
        self
    }

    #[inline(always)]
    unsafe fn max(mut self, other: Self) -> Self {
        for place in 0..8 {
            self[place] = match self[place] > other[place] {
                true => self[place],
                false => other[place],
            };
        }
        self
    }

    #[inline(always)]
    unsafe fn clamp(self, least: f32, most: f32) -> Self {
        self.map(|number| number.clamp(least, most))
    }

    #[inline(always)]
    unsafe fn zero_where_below(mut self, test: Self, bound: f32) -> Self {
        for place in 0..8 {
            self[place] = if test[place] < bound {
                0.0
            } else {
                self[place]
            };
        }
        self
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        self.map(|number| {
            let n = number.to_bits().wrapping_sub(LARGE.to_bits());
            f32::from_bits(n.wrapping_add(127) << 23)
        })
    }
}
