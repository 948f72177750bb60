//! Kernels in plain Rust. Compilers vectorise their loops over the 32 outputs of a panel for any instruction
//! set.

use super::table::{Kernel, TileFunction, tiles, vector_functions};
use super::tile::{Sums, Tile};
use super::vector::{ROUNDING, Vector, blocks};
use crate::pack::scale;
use crate::shape::LANES;

pub(super) const F32: Kernel = kernel(tiles!(f32_tile: 1 2));
pub(super) const BF16: Kernel = kernel(tiles!(bf16_tile: 1 2));
pub(super) const INT8: Kernel = kernel(tiles!(int8_tile: 1 2));
pub(super) const INT4: Kernel = kernel(tiles!(int4_tile: 1 2));

const fn kernel(tiles: &'static [TileFunction]) -> Kernel {
    Kernel {
        name: "portable",
        tiles,
        pair_tiles: &[],
        limits_integers: false,
        finish,
        pack,
        normalise,
        attend,
        #[cfg(feature = "autodiff")]
        training: TRAINING,
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

/// The parts of a tile. `scale_words` is how many words of scales a group has, `per_step` how many words of
/// each row a step has.
///
/// # Safety
/// The tile was made by [`Tile::new`] for `ROWS` rows of such a format.
unsafe fn slices<'a, const ROWS: usize>(
    tile: &Tile<'a>,
    scale_words: usize,
    per_step: usize,
) -> Slices<'a, ROWS> {
    let words = tile.groups * (scale_words + tile.steps * LANES);
    let steps = tile.groups * tile.steps * per_step;
    // SAFETY: as the caller promises; these are the lengths of what the tile was made from.
    unsafe {
        tile.clear_before::<ROWS>(0);
        Slices {
            words: std::slice::from_raw_parts(tile.words, words),
            rows: std::slice::from_raw_parts(tile.rows.cast(), steps),
            sums: &mut *tile.sums.cast(),
        }
    }
}

/// # Safety
/// See [`TileFunction`].
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

/// # Safety
/// See [`TileFunction`].
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

/// Sums products block by block. `multiply` gets the words of a step, a row's word for it, and the sums to
/// add to.
#[inline(always)]
fn in_blocks<const ROWS: usize>(
    words: &[u32],
    rows: &[[u32; ROWS]],
    sums: &mut [Sums; ROWS],
    multiply: impl Fn(&[u32; LANES], u32, &mut Sums),
) {
    let (words, _) = words.as_chunks::<LANES>();
    let mut total = [[0.0; LANES]; ROWS];
    for block in blocks(rows.len()) {
        let mut block_sums = [[0.0; LANES]; ROWS];
        for step in block {
            for (sums, row) in block_sums.iter_mut().zip(&rows[step]) {
                multiply(&words[step], *row, sums);
            }
        }
        add(&mut total, &block_sums);
    }
    add(sums, &total);
}

fn add<const ROWS: usize>(sums: &mut [Sums; ROWS], summands: &[Sums; ROWS]) {
    for (sums, summands) in sums.iter_mut().zip(summands) {
        for (sum, summand) in sums.iter_mut().zip(summands) {
            *sum += summand;
        }
    }
}

/// # Safety
/// See [`TileFunction`].
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

/// # Safety
/// See [`TileFunction`].
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

/// Sums integers group by group. `multiply` gets the words of a step, a row's words for it, and the sums to
/// add to.
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
        let mut group_sums = [[0i32; LANES]; ROWS];
        for (words, rows) in words.iter().zip(rows.chunks_exact(PER_STEP)) {
            for (row, group_sums) in group_sums.iter_mut().enumerate() {
                multiply(
                    words,
                    std::array::from_fn(|part| rows[part][row]),
                    group_sums,
                );
            }
        }
        for (sums, group_sums) in sums.iter_mut().zip(&group_sums) {
            for (lane, (sum, group_sums)) in sums.iter_mut().zip(group_sums).enumerate() {
                *sum += *group_sums as f32 * scale(scales, lane);
            }
        }
    }
}

impl Vector for [f32; 8] {
    const WIDTH: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        [value; 8]
    }

    #[inline(always)]
    unsafe fn load(values: *const f32) -> Self {
        // SAFETY: as the caller promises; an array has the alignment of its elements.
        unsafe { *values.cast() }
    }

    #[inline(always)]
    unsafe fn store(self, values: *mut f32) {
        // SAFETY: as the caller promises.
        unsafe { *values.cast() = self };
    }

    #[inline(always)]
    unsafe fn multiply_add(mut self, factor: Self, summand: Self) -> Self {
        for at in 0..8 {
            self[at] = self[at] * factor[at] + summand[at];
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
        for at in 0..8 {
            self[at] /= divisor[at];
        }
        self
    }

    #[inline(always)]
    unsafe fn max(mut self, other: Self) -> Self {
        for at in 0..8 {
            self[at] = match self[at] > other[at] {
                true => self[at],
                false => other[at],
            };
        }
        self
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        self.map(f32::abs)
    }

    #[inline(always)]
    unsafe fn at_least(self, bound: f32) -> Self {
        self.map(|value| if value < bound { bound } else { value })
    }

    #[inline(always)]
    unsafe fn at_most(self, bound: f32) -> Self {
        self.map(|value| if value > bound { bound } else { value })
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        self.map(|value| {
            let n = value.to_bits().wrapping_sub(ROUNDING.to_bits());
            f32::from_bits(n.wrapping_add(127) << 23)
        })
    }
}
