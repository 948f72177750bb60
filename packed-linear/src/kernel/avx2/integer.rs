use std::arch::x86_64::*;

use super::walk::{Product, Steps, VECTORS, Walk, multiply};
use crate::kernel::tile::{Sums, Tile};
use crate::shape::LANES;

/// Steps that are multiplied by some of a panel's vectors before the others come, if there are one panel and two. What
/// lies in memory must still be in the first cache when the other vectors come.
const STEPS: [usize; 2] = [64, 16];

/// Multiplies a tile of a format whose sums are integers.
///
/// # Safety
/// See [`TileFunction`](crate::kernel::table::TileFunction). The processor has the target features. The tile has
/// `PANELS` panels.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn integer_tile<
    P: Product<Sum = __m256i>,
    const ROWS: usize,
    const PANELS: usize,
    const COLUMNS: usize,
>(
    tile: &Tile<'_>,
) {
    let mut walk = Walk::new(tile);
    let mut starts = tile.starts;
    // SAFETY: the tile has `groups` groups. Each has 16 words of scales, `steps` steps, `ROWS` starts, and 32 sums for
    // each row and panel.
    unsafe {
        for group in 0..tile.groups {
            let scales = walk.skip(LANES / 2);
            let mut integers = [[[_mm256_setzero_si256(); VECTORS]; ROWS]; PANELS];
            for row in 0..ROWS {
                let start = _mm256_set1_epi32(*starts.add(row));
                for panel in 0..PANELS {
                    integers[panel][row] = [start; VECTORS];
                }
            }
            starts = starts.add(ROWS);
            let sums: *mut __m256i = integers.as_mut_ptr().cast();
            let words = walk.words();
            let mut left = tile.steps;
            while left > 0 {
                let steps = left.min(STEPS[PANELS - 1]);
                walk.multiply::<P, ROWS, PANELS, COLUMNS>(steps, sums);
                left -= steps;
            }
            if !tile.excess_starts.is_empty() {
                for row in 0..ROWS {
                    for panel in 0..PANELS {
                        let words = words.add(panel * tile.panel_stride);
                        let sums = &mut integers[panel][row];
                        add_excess::<P>(tile, group * ROWS + row, words, sums);
                    }
                }
            }
            let is_first = group == 0 && tile.is_first;
            for panel in 0..PANELS {
                let scales = scales_of(scales.add(panel * tile.panel_stride));
                for row in 0..ROWS {
                    let sums = tile.sums.add(panel * ROWS + row);
                    add_group(sums, integers[panel][row], scales, is_first);
                }
            }
        }
    }
}

/// Adds what a row has in excess. `place` is the number of the row among all of all groups, `words` are those of the
/// group in a panel.
///
/// # Safety
/// The processor has AVX2 and FMA. The tile was made for such a panel.
#[target_feature(enable = "avx2,fma")]
unsafe fn add_excess<P: Product<Sum = __m256i>>(
    tile: &Tile<'_>,
    place: usize,
    words: *const u32,
    sums: &mut [__m256i; VECTORS],
) {
    let [start, end] = [place, place + 1].map(|place| tile.excess_starts[place] as usize);
    let (numbers, rows) = (
        &tile.excess_steps[start..end],
        &tile.excess_words[start..end],
    );
    let steps = Steps {
        count: numbers.len(),
        words_of: |index| {
            // SAFETY: there are `count` numbers.
            words.wrapping_add(unsafe { *numbers.get_unchecked(index) } as usize * LANES)
        },
        panel_stride: 0,
        rows: rows.as_ptr(),
    };
    // SAFETY: the group has these steps.
    unsafe { multiply::<P, 1, 1, VECTORS>(&steps, sums.as_mut_ptr(), || ()) };
}

/// The scales of a group, two in each word.
///
/// # Safety
/// The processor has AVX2; a group with scales begins at `words`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn scales_of(words: *const u32) -> [__m256; VECTORS] {
    let high = _mm256_set1_epi32(0xffff_0000_u32 as i32);
    // SAFETY: a group begins with 16 words of scales.
    let words: [__m256i; 2] =
        std::array::from_fn(|half| unsafe { _mm256_loadu_si256(words.add(8 * half).cast()) });
    let low = words.map(|words| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(words)));
    let high = words.map(|words| _mm256_castsi256_ps(_mm256_and_si256(words, high)));
    [low[0], low[1], high[0], high[1]]
}

/// Adds the integer sums of a group, times their scales, to the sums of a row, or replaces these.
///
/// # Safety
/// The processor has AVX2 and FMA; there are such sums.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn add_group(
    sums: *mut Sums,
    integers: [__m256i; VECTORS],
    scales: [__m256; VECTORS],
    is_first: bool,
) {
    for vector in 0..VECTORS {
        // SAFETY: there are 32 sums.
        unsafe {
            let sums = sums.cast::<f32>().add(8 * vector);
            let sum = match is_first {
                true => _mm256_setzero_ps(),
                false => _mm256_loadu_ps(sums),
            };
            let value = _mm256_cvtepi32_ps(integers[vector]);
            _mm256_storeu_ps(sums, _mm256_fmadd_ps(value, scales[vector], sum));
        }
    }
}

/// Four unsigned 8-bit integers in each word.
pub(super) enum Int8 {}

impl Product for Int8 {
    type Sum = __m256i;
    type Weights = __m256i;
    type Value = __m256i;
    const ROW_WORDS: usize = 1;

    #[inline(always)]
    unsafe fn zero() -> __m256i {
        // SAFETY: as the caller promises.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn weights(words: *const u32) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe { _mm256_loadu_si256(words.cast()) }
    }

    #[inline(always)]
    unsafe fn value(words: *const u32, _stride: usize) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe { _mm256_set1_epi32(*words as i32) }
    }

    #[inline(always)]
    unsafe fn multiply_add(sum: __m256i, weights: __m256i, value: __m256i) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe {
            // Two products fit into 16 bits, since rows are limited.
            let pairs = _mm256_maddubs_epi16(weights, value);
            _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
    }

    #[inline(always)]
    unsafe fn add(sum: __m256i, summand: __m256i) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe { _mm256_add_epi32(sum, summand) }
    }
}

/// Eight unsigned 4-bit integers in each word.
pub(super) enum Int4 {}

impl Product for Int4 {
    type Sum = __m256i;
    type Weights = [__m256i; 2];
    type Value = [__m256i; 2];
    const ROW_WORDS: usize = 2;

    #[inline(always)]
    unsafe fn zero() -> __m256i {
        // SAFETY: as the caller promises.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn weights(words: *const u32) -> [__m256i; 2] {
        // SAFETY: as the caller promises.
        unsafe {
            let words = _mm256_loadu_si256(words.cast());
            let nibbles = _mm256_set1_epi8(0xf);
            [
                _mm256_and_si256(words, nibbles),
                _mm256_and_si256(_mm256_srli_epi32::<4>(words), nibbles),
            ]
        }
    }

    #[inline(always)]
    unsafe fn value(words: *const u32, stride: usize) -> [__m256i; 2] {
        // SAFETY: as the caller promises.
        unsafe {
            [
                _mm256_set1_epi32(*words as i32),
                _mm256_set1_epi32(*words.add(stride) as i32),
            ]
        }
    }

    #[inline(always)]
    unsafe fn multiply_add(sum: __m256i, weights: [__m256i; 2], value: [__m256i; 2]) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe {
            // The sum of four products fits into 16 bits: 4 · 15 · 127.
            let pairs = _mm256_add_epi16(
                _mm256_maddubs_epi16(weights[0], value[0]),
                _mm256_maddubs_epi16(weights[1], value[1]),
            );
            _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
    }

    #[inline(always)]
    unsafe fn add(sum: __m256i, summand: __m256i) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe { _mm256_add_epi32(sum, summand) }
    }
}
