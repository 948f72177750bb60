//! Kernels for AVX2.
//!
//! Four vectors of 8 sums for each row, up to three rows: 12 of the 16 registers. Sums are indexed by
//! numbers, not iterated over, as they would not stay in registers otherwise.

use std::arch::x86_64::*;
use std::ops::Range;

use super::tile::{AHEAD, Sums, Tile};
use super::vector::{LARGE, Vector};
use super::{Kernel, TileFunction, tiles, vector_functions};
use crate::shape::LANES;

pub(super) const F32: Kernel = kernel(tiles!(f32_tile: 1 2 3));
pub(super) const BF16: Kernel = kernel(tiles!(bf16_tile: 1 2));
pub(super) const INT8: Kernel = kernel(tiles!(int8_tile: 1 2));
pub(super) const INT4: Kernel = kernel(tiles!(int4_tile: 1 2));

const fn kernel(tiles: &'static [TileFunction]) -> Kernel {
    Kernel {
        name: "avx2",
        tiles,
        finish,
        pack,
        attend,
        is_available: || is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
    }
}

/// Vectors of a panel.
const VECTORS: usize = LANES / 8;

vector_functions!(__m256, "avx2,fma");

#[inline(always)]
fn prefetch(words: *const u32) {
    // SAFETY: nothing is read; an address that is not there is passed over.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(words.wrapping_add(AHEAD).cast());
        _mm_prefetch::<_MM_HINT_T0>(words.wrapping_add(AHEAD + LANES / 2).cast());
    }
}

/// # Safety
/// As [`TileFunction`].
#[target_feature(enable = "avx2,fma")]
unsafe fn f32_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows) = (tile.words, tile.rows);
    // SAFETY: the tile has `steps` times 32 words and `steps` times `ROWS` words of the rows.
    unsafe {
        for steps in tile.blocks() {
            let mut sums = [[_mm256_setzero_ps(); VECTORS]; ROWS];
            for _ in steps.clone() {
                prefetch(words);
                let values: [__m256; ROWS] =
                    std::array::from_fn(|row| _mm256_set1_ps(f32::from_bits(*rows.add(row))));
                for vector in 0..VECTORS {
                    let weights = _mm256_loadu_ps(words.add(8 * vector).cast());
                    for row in 0..ROWS {
                        let sum = &mut sums[row][vector];
                        *sum = _mm256_fmadd_ps(weights, values[row], *sum);
                    }
                }
                words = words.add(LANES);
                rows = rows.add(ROWS);
            }
            add_block(tile, &steps, &sums);
        }
    }
}

/// # Safety
/// As [`TileFunction`].
#[target_feature(enable = "avx2,fma")]
unsafe fn bf16_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows) = (tile.words, tile.rows);
    // SAFETY: as in `f32_tile`.
    unsafe {
        let high = _mm256_set1_epi32(0xffff_0000_u32 as i32);
        let halves = |pairs: __m256i| {
            [
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(pairs)),
                _mm256_castsi256_ps(_mm256_and_si256(pairs, high)),
            ]
        };
        for steps in tile.blocks() {
            let mut sums = [[_mm256_setzero_ps(); VECTORS]; ROWS];
            for _ in steps.clone() {
                prefetch(words);
                let values: [[__m256; 2]; ROWS] =
                    std::array::from_fn(|row| halves(_mm256_set1_epi32(*rows.add(row) as i32)));
                for vector in 0..VECTORS {
                    let weights = halves(_mm256_loadu_si256(words.add(8 * vector).cast()));
                    for row in 0..ROWS {
                        let sum = &mut sums[row][vector];
                        *sum = _mm256_fmadd_ps(weights[0], values[row][0], *sum);
                        *sum = _mm256_fmadd_ps(weights[1], values[row][1], *sum);
                    }
                }
                words = words.add(LANES);
                rows = rows.add(ROWS);
            }
            add_block(tile, &steps, &sums);
        }
    }
}

/// # Safety
/// As [`TileFunction`].
#[target_feature(enable = "avx2,fma")]
unsafe fn int8_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows) = (tile.words, tile.rows);
    // SAFETY: the tile has as many groups, each of 16 words of scales and `steps` times 32, and as
    // many times `steps` times `ROWS` words of the rows.
    unsafe {
        let (sign, ones) = (_mm256_set1_epi8(i8::MIN), _mm256_set1_epi16(1));
        for group in 0..tile.groups {
            let scales = scales(words);
            words = words.add(LANES / 2);
            let mut whole = [[_mm256_setzero_si256(); VECTORS]; ROWS];
            for _ in 0..tile.steps {
                prefetch(words);
                let values: [__m256i; ROWS] =
                    std::array::from_fn(|row| _mm256_set1_epi32(*rows.add(row) as i32));
                for vector in 0..VECTORS {
                    // One factor of this instruction has no sign, and sums of two products have 16
                    // bits. As the weight is made positive, they fit: 2 · 128 · 127.
                    let weights = _mm256_loadu_si256(words.add(8 * vector).cast());
                    let weights = _mm256_xor_si256(weights, sign);
                    let positive = _mm256_abs_epi8(weights);
                    for row in 0..ROWS {
                        let value = _mm256_sign_epi8(values[row], weights);
                        let pairs = _mm256_maddubs_epi16(positive, value);
                        let quads = _mm256_madd_epi16(pairs, ones);
                        whole[row][vector] = _mm256_add_epi32(whole[row][vector], quads);
                    }
                }
                words = words.add(LANES);
                rows = rows.add(ROWS);
            }
            tile.clear_before::<ROWS>(group);
            add(tile.sums, &whole, scales);
        }
    }
}

/// # Safety
/// As [`TileFunction`].
#[target_feature(enable = "avx2,fma")]
unsafe fn int4_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows, mut starts) = (tile.words, tile.rows, tile.starts);
    // SAFETY: as in `int8_tile`, with two words of each row a step and `ROWS` starts a group.
    unsafe {
        let (nibbles, ones) = (_mm256_set1_epi8(0xf), _mm256_set1_epi16(1));
        for group in 0..tile.groups {
            let scales = scales(words);
            words = words.add(LANES / 2);
            let mut whole: [[__m256i; VECTORS]; ROWS] =
                std::array::from_fn(|row| [_mm256_set1_epi32(*starts.add(row)); VECTORS]);
            for _ in 0..tile.steps {
                prefetch(words);
                let values: [[__m256i; 2]; ROWS] = std::array::from_fn(|row| {
                    [
                        _mm256_set1_epi32(*rows.add(row) as i32),
                        _mm256_set1_epi32(*rows.add(ROWS + row) as i32),
                    ]
                });
                for vector in 0..VECTORS {
                    let weights = _mm256_loadu_si256(words.add(8 * vector).cast());
                    let low = _mm256_and_si256(weights, nibbles);
                    let high = _mm256_and_si256(_mm256_srli_epi32::<4>(weights), nibbles);
                    for row in 0..ROWS {
                        // Sums of four products fit into 16 bits: 4 · 15 · 127.
                        let pairs = _mm256_add_epi16(
                            _mm256_maddubs_epi16(low, values[row][0]),
                            _mm256_maddubs_epi16(high, values[row][1]),
                        );
                        let quads = _mm256_madd_epi16(pairs, ones);
                        whole[row][vector] = _mm256_add_epi32(whole[row][vector], quads);
                    }
                }
                words = words.add(LANES);
                rows = rows.add(2 * ROWS);
            }
            tile.clear_before::<ROWS>(group);
            add(tile.sums, &whole, scales);
            starts = starts.add(ROWS);
        }
    }
}

/// Adds the sums of a block of steps to those of the blocks before.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn add_block<const ROWS: usize>(
    tile: &Tile<'_>,
    steps: &Range<usize>,
    block: &[[__m256; VECTORS]; ROWS],
) {
    let is_first = tile.is_first && steps.start == 0;
    for row in 0..ROWS {
        for vector in 0..VECTORS {
            // SAFETY: there are `ROWS` times 32 sums.
            unsafe {
                let sums = tile.sums.add(row).cast::<f32>().add(8 * vector);
                let sum = match is_first {
                    true => block[row][vector],
                    false => _mm256_add_ps(_mm256_loadu_ps(sums), block[row][vector]),
                };
                _mm256_storeu_ps(sums, sum);
            }
        }
    }
}

/// The scales of a group, of which two stand in a word.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn scales(words: *const u32) -> [__m256; VECTORS] {
    let high = _mm256_set1_epi32(0xffff_0000_u32 as i32);
    // SAFETY: a group begins with 16 words of scales.
    let words: [__m256i; 2] =
        std::array::from_fn(|half| unsafe { _mm256_loadu_si256(words.add(8 * half).cast()) });
    let low = words.map(|words| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(words)));
    let high = words.map(|words| _mm256_castsi256_ps(_mm256_and_si256(words, high)));
    [low[0], low[1], high[0], high[1]]
}

/// Adds the sums of a group, times their scales.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn add<const ROWS: usize>(
    sums: *mut Sums,
    whole: &[[__m256i; VECTORS]; ROWS],
    scales: [__m256; VECTORS],
) {
    for row in 0..ROWS {
        for vector in 0..VECTORS {
            // SAFETY: there are `ROWS` times 32 sums.
            unsafe {
                let sums = sums.add(row).cast::<f32>().add(8 * vector);
                let value = _mm256_cvtepi32_ps(whole[row][vector]);
                let sum = _mm256_fmadd_ps(value, scales[vector], _mm256_loadu_ps(sums));
                _mm256_storeu_ps(sums, sum);
            }
        }
    }
}

impl Vector for __m256 {
    const NUMBERS: usize = 8;

    #[inline(always)]
    unsafe fn splat(number: f32) -> Self {
        // SAFETY: as the caller promises, here and below.
        unsafe { _mm256_set1_ps(number) }
    }

    #[inline(always)]
    unsafe fn load(numbers: *const f32) -> Self {
        // SAFETY: likewise.
        unsafe { _mm256_loadu_ps(numbers) }
    }

    #[inline(always)]
    unsafe fn store(self, numbers: *mut f32) {
        // SAFETY: likewise.
        unsafe { _mm256_storeu_ps(numbers, self) };
    }

    #[inline(always)]
    unsafe fn multiply_add(self, factor: Self, summand: Self) -> Self {
        // SAFETY: likewise.
        unsafe { _mm256_fmadd_ps(self, factor, summand) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: likewise.
        unsafe {
            let four = _mm_add_ps(
                _mm256_castps256_ps128(self),
                _mm256_extractf128_ps::<1>(self),
            );
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }

    #[inline(always)]
    unsafe fn divide(self, divisor: Self) -> Self {
        // SAFETY: likewise.
        unsafe { _mm256_div_ps(self, divisor) }
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // SAFETY: likewise.
        unsafe { _mm256_max_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn clamp(self, least: f32, most: f32) -> Self {
        // SAFETY: likewise. Of what is no number the second operand is the result.
        unsafe {
            let bounded = _mm256_max_ps(_mm256_set1_ps(least), self);
            _mm256_min_ps(_mm256_set1_ps(most), bounded)
        }
    }

    #[inline(always)]
    unsafe fn zero_where_below(self, test: Self, bound: f32) -> Self {
        // SAFETY: likewise.
        unsafe {
            let kept = _mm256_cmp_ps::<_CMP_NLT_US>(test, _mm256_set1_ps(bound));
            _mm256_and_ps(kept, self)
        }
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        // SAFETY: likewise.
        unsafe {
            let bias = _mm256_set1_epi32(127 - LARGE.to_bits() as i32);
            let exponent = _mm256_add_epi32(_mm256_castps_si256(self), bias);
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
        }
    }
}
