//! Kernels for AVX2.
//!
//! Four vectors of 8 sums for each row, up to three rows: 12 of the 16 registers.

mod vector;

use std::arch::x86_64::*;

use super::table::{Kernel, TileFunction, tiles, vector_functions};
use super::tile::{Sums, Tile, WORDS_AHEAD};
use super::vector::blocks;
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
        normalise,
        attend,
        #[cfg(feature = "autodiff")]
        training: TRAINING,
        is_available: || is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
    }
}

/// Vectors of a panel.
const VECTORS: usize = LANES / 8;

vector_functions!(__m256, "avx2,fma");

/// Prefetches the words of a later step.
#[inline(always)]
fn prefetch(words: *const u32) {
    // SAFETY: the instruction reads nothing and ignores invalid addresses.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(words.wrapping_add(WORDS_AHEAD).cast());
        _mm_prefetch::<_MM_HINT_T0>(words.wrapping_add(WORDS_AHEAD + LANES / 2).cast());
    }
}

/// # Safety
/// See [`TileFunction`]. The processor has the target features.
#[target_feature(enable = "avx2,fma")]
unsafe fn f32_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows) = (tile.words, tile.rows);
    // SAFETY: the tile has `steps` times 32 words and `steps` times `ROWS` words of the rows.
    unsafe {
        let mut total = [[_mm256_setzero_ps(); VECTORS]; ROWS];
        for block in blocks(tile.steps) {
            let mut sums = [[_mm256_setzero_ps(); VECTORS]; ROWS];
            for _ in block {
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
            add(&mut total, &sums);
        }
        add_total(tile, &total);
    }
}

/// # Safety
/// See [`TileFunction`]. The processor has the target features.
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
        let mut total = [[_mm256_setzero_ps(); VECTORS]; ROWS];
        for block in blocks(tile.steps) {
            let mut sums = [[_mm256_setzero_ps(); VECTORS]; ROWS];
            for _ in block {
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
            add(&mut total, &sums);
        }
        add_total(tile, &total);
    }
}

/// # Safety
/// See [`TileFunction`]. The processor has the target features.
#[target_feature(enable = "avx2,fma")]
unsafe fn int8_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows) = (tile.words, tile.rows);
    // SAFETY: the tile has `groups` groups. Each has 16 words of scales and `steps` times 32 words, and
    // `steps` times `ROWS` words of the rows.
    unsafe {
        let (sign, ones) = (_mm256_set1_epi8(i8::MIN), _mm256_set1_epi16(1));
        for group in 0..tile.groups {
            let scales = scales(words);
            words = words.add(LANES / 2);
            let mut integers = [[_mm256_setzero_si256(); VECTORS]; ROWS];
            for _ in 0..tile.steps {
                prefetch(words);
                let values: [__m256i; ROWS] =
                    std::array::from_fn(|row| _mm256_set1_epi32(*rows.add(row) as i32));
                for vector in 0..VECTORS {
                    // The instruction multiplies unsigned by signed bytes and adds two products in 16 bits.
                    // With the sign moved from the weight to the other factor they fit: 2 · 128 · 127.
                    let weights = _mm256_loadu_si256(words.add(8 * vector).cast());
                    let weights = _mm256_xor_si256(weights, sign);
                    let positive = _mm256_abs_epi8(weights);
                    for row in 0..ROWS {
                        let value = _mm256_sign_epi8(values[row], weights);
                        let pairs = _mm256_maddubs_epi16(positive, value);
                        let quads = _mm256_madd_epi16(pairs, ones);
                        integers[row][vector] = _mm256_add_epi32(integers[row][vector], quads);
                    }
                }
                words = words.add(LANES);
                rows = rows.add(ROWS);
            }
            tile.clear_before::<ROWS>(group);
            add_group(tile.sums, &integers, scales);
        }
    }
}

/// # Safety
/// See [`TileFunction`]. The processor has the target features.
#[target_feature(enable = "avx2,fma")]
unsafe fn int4_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows, mut starts) = (tile.words, tile.rows, tile.starts);
    // SAFETY: as in `int8_tile`, but with two words of each row per step, and `ROWS` starts per group.
    unsafe {
        let (nibbles, ones) = (_mm256_set1_epi8(0xf), _mm256_set1_epi16(1));
        for group in 0..tile.groups {
            let scales = scales(words);
            words = words.add(LANES / 2);
            let mut integers: [[__m256i; VECTORS]; ROWS] =
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
                        // The sum of four products fits into 16 bits: 4 · 15 · 127.
                        let pairs = _mm256_add_epi16(
                            _mm256_maddubs_epi16(low, values[row][0]),
                            _mm256_maddubs_epi16(high, values[row][1]),
                        );
                        let quads = _mm256_madd_epi16(pairs, ones);
                        integers[row][vector] = _mm256_add_epi32(integers[row][vector], quads);
                    }
                }
                words = words.add(LANES);
                rows = rows.add(2 * ROWS);
            }
            tile.clear_before::<ROWS>(group);
            add_group(tile.sums, &integers, scales);
            starts = starts.add(ROWS);
        }
    }
}

/// Adds the sums of a block to the total.
#[inline]
#[target_feature(enable = "avx2")]
fn add<const ROWS: usize>(
    total: &mut [[__m256; VECTORS]; ROWS],
    block: &[[__m256; VECTORS]; ROWS],
) {
    for row in 0..ROWS {
        for vector in 0..VECTORS {
            total[row][vector] = _mm256_add_ps(total[row][vector], block[row][vector]);
        }
    }
}

/// Adds the total of a tile to its sums.
///
/// # Safety
/// The processor has AVX2; the tile has `ROWS` rows.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn add_total<const ROWS: usize>(tile: &Tile<'_>, total: &[[__m256; VECTORS]; ROWS]) {
    for row in 0..ROWS {
        for vector in 0..VECTORS {
            // SAFETY: there are `ROWS` times 32 sums.
            unsafe {
                let sums = tile.sums.add(row).cast::<f32>().add(8 * vector);
                let sum = match tile.is_first {
                    true => total[row][vector],
                    false => _mm256_add_ps(_mm256_loadu_ps(sums), total[row][vector]),
                };
                _mm256_storeu_ps(sums, sum);
            }
        }
    }
}

/// The scales of a group, two in each word.
///
/// # Safety
/// The processor has AVX2; a group with scales begins at `words`.
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

/// Adds the integer sums of a group, times their scales.
///
/// # Safety
/// The processor has AVX2 and FMA; there are `ROWS` sums.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn add_group<const ROWS: usize>(
    sums: *mut Sums,
    integers: &[[__m256i; VECTORS]; ROWS],
    scales: [__m256; VECTORS],
) {
    for row in 0..ROWS {
        for vector in 0..VECTORS {
            // SAFETY: there are `ROWS` times 32 sums.
            unsafe {
                let sums = sums.add(row).cast::<f32>().add(8 * vector);
                let value = _mm256_cvtepi32_ps(integers[row][vector]);
                let sum = _mm256_fmadd_ps(value, scales[vector], _mm256_loadu_ps(sums));
                _mm256_storeu_ps(sums, sum);
            }
        }
    }
}
