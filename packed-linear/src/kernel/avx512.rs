//! Kernels for AVX-512, with its instructions for whole numbers (VNNI) and for `bf16`.
//!
//! Two vectors of 16 sums for each row, up to twelve rows: 24 of the 32 registers. Sums are indexed
//! by numbers, not iterated over, as they would not stay in registers otherwise.

use std::arch::x86_64::*;

use super::block::PLACES;
use super::tile::{Sums, Tile, clear};
use super::vector::{LARGE, Vector};
use super::{Kernel, TileFunction, tiles, vector_functions};
use crate::shape::LANES;

pub(super) const F32: Kernel = kernel(
    "avx512",
    tiles!(f32_tile: 1 2 3 4 5 6 7 8 9 10 11 12),
    has_avx512,
);
pub(super) const BF16: Kernel = kernel(
    "avx512-bf16",
    tiles!(bf16_tile: 1 2 3 4 5 6 7 8 9 10 11 12),
    || has_avx512() && is_x86_feature_detected!("avx512bf16"),
);
pub(super) const INT8: Kernel = kernel(
    "avx512-vnni",
    tiles!(int8_tile: 1 2 3 4 5 6 7 8 9 10 11 12),
    has_vnni,
);
pub(super) const INT4: Kernel = kernel(
    "avx512-vnni",
    tiles!(int4_tile: 1 2 3 4 5 6 7 8 9 10 11 12),
    has_vnni,
);

fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
}

fn has_vnni() -> bool {
    has_avx512() && is_x86_feature_detected!("avx512vnni")
}

const fn kernel(
    name: &'static str,
    tiles: &'static [TileFunction],
    is_available: fn() -> bool,
) -> Kernel {
    Kernel {
        name,
        tiles,
        finish,
        pack,
        attend,
        is_available,
    }
}

vector_functions!(__m512, "avx512f,avx512bw");

/// Asks for the words of a later step and returns where to go on: into the first cache with a few rows,
/// which use words up as fast as memory brings them, otherwise into the second.
#[inline(always)]
fn prefetch<const ROWS: usize>(tile: &Tile<'_>, ahead: *const u32) -> *const u32 {
    let next = ahead.wrapping_add(LANES / 2);
    // SAFETY: nothing is read; an address that is not there is passed over.
    unsafe {
        if ROWS <= 4 {
            _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
            _mm_prefetch::<_MM_HINT_T0>(next.cast());
        } else {
            _mm_prefetch::<_MM_HINT_T1>(ahead.cast());
            _mm_prefetch::<_MM_HINT_T1>(next.cast());
        }
    }
    ahead.wrapping_add(tile.ahead_step)
}

/// # Safety
/// As [`TileFunction`].
#[target_feature(enable = "avx512f")]
unsafe fn f32_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows, mut ahead) = (tile.words, tile.rows, tile.ahead);
    // SAFETY: the tile has `steps` times 32 words and `steps` times `ROWS` words of the rows.
    unsafe {
        let mut sums = load::<ROWS>(tile);
        for _ in 0..tile.steps {
            let low = _mm512_loadu_ps(words.cast());
            let high = _mm512_loadu_ps(words.add(16).cast());
            ahead = prefetch::<ROWS>(tile, ahead);
            for row in 0..ROWS {
                let value = _mm512_set1_ps(f32::from_bits(*rows.add(row)));
                sums[row][0] = _mm512_fmadd_ps(low, value, sums[row][0]);
                sums[row][1] = _mm512_fmadd_ps(high, value, sums[row][1]);
            }
            words = words.add(LANES);
            rows = rows.add(ROWS);
        }
        store(tile.sums, &sums);
    }
}

/// # Safety
/// As [`TileFunction`].
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn bf16_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows, mut ahead) = (tile.words, tile.rows, tile.ahead);
    // SAFETY: as in `f32_tile`; vectors of `bf16` are bits like any others.
    unsafe {
        let pairs = |vector: __m512i| std::mem::transmute::<__m512i, __m512bh>(vector);
        let mut sums = load::<ROWS>(tile);
        for _ in 0..tile.steps {
            let low = pairs(_mm512_loadu_si512(words.cast()));
            let high = pairs(_mm512_loadu_si512(words.add(16).cast()));
            ahead = prefetch::<ROWS>(tile, ahead);
            for row in 0..ROWS {
                let value = pairs(_mm512_set1_epi32(*rows.add(row) as i32));
                sums[row][0] = _mm512_dpbf16_ps(sums[row][0], low, value);
                sums[row][1] = _mm512_dpbf16_ps(sums[row][1], high, value);
            }
            words = words.add(LANES);
            rows = rows.add(ROWS);
        }
        store(tile.sums, &sums);
    }
}

/// # Safety
/// As [`TileFunction`].
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn int8_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows, mut starts) = (tile.words, tile.rows, tile.starts);
    let mut ahead = tile.ahead;
    // SAFETY: the tile has as many groups, each of 16 words of scales and `steps` times 32, as many
    // times `steps` times `ROWS` words of the rows, and `ROWS` starts for each.
    unsafe {
        let mut is_first = tile.is_first;
        for _ in 0..tile.groups {
            let scales = scales(words);
            words = words.add(LANES / 2);
            let mut whole = begin::<ROWS>(starts);
            for _ in 0..tile.steps {
                let low = _mm512_loadu_si512(words.cast());
                let high = _mm512_loadu_si512(words.add(16).cast());
                ahead = prefetch::<ROWS>(tile, ahead);
                for row in 0..ROWS {
                    let value = _mm512_set1_epi32(*rows.add(row) as i32);
                    whole[row][0] = _mm512_dpbusd_epi32(whole[row][0], low, value);
                    whole[row][1] = _mm512_dpbusd_epi32(whole[row][1], high, value);
                }
                words = words.add(LANES);
                rows = rows.add(ROWS);
            }
            if is_first {
                clear::<ROWS>(tile.sums);
                is_first = false;
            }
            add(tile.sums, &whole, scales);
            starts = starts.add(ROWS);
        }
    }
}

/// # Safety
/// As [`TileFunction`].
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn int4_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows, mut starts) = (tile.words, tile.rows, tile.starts);
    let mut ahead = tile.ahead;
    // SAFETY: as in `int8_tile`, with two words of each row a step.
    unsafe {
        let nibbles = _mm512_set1_epi32(0x0f0f_0f0f);
        let mut is_first = tile.is_first;
        for _ in 0..tile.groups {
            let scales = scales(words);
            words = words.add(LANES / 2);
            let mut whole = begin::<ROWS>(starts);
            for _ in 0..tile.steps {
                let low = _mm512_loadu_si512(words.cast());
                let high = _mm512_loadu_si512(words.add(16).cast());
                ahead = prefetch::<ROWS>(tile, ahead);
                let first = [
                    _mm512_and_si512(low, nibbles),
                    _mm512_and_si512(high, nibbles),
                ];
                let second = [
                    _mm512_and_si512(_mm512_srli_epi32::<4>(low), nibbles),
                    _mm512_and_si512(_mm512_srli_epi32::<4>(high), nibbles),
                ];
                for row in 0..ROWS {
                    let value = _mm512_set1_epi32(*rows.add(row) as i32);
                    whole[row][0] = _mm512_dpbusd_epi32(whole[row][0], first[0], value);
                    whole[row][1] = _mm512_dpbusd_epi32(whole[row][1], first[1], value);
                }
                for row in 0..ROWS {
                    let value = _mm512_set1_epi32(*rows.add(ROWS + row) as i32);
                    whole[row][0] = _mm512_dpbusd_epi32(whole[row][0], second[0], value);
                    whole[row][1] = _mm512_dpbusd_epi32(whole[row][1], second[1], value);
                }
                words = words.add(LANES);
                rows = rows.add(2 * ROWS);
            }
            if is_first {
                clear::<ROWS>(tile.sums);
                is_first = false;
            }
            add(tile.sums, &whole, scales);
            starts = starts.add(ROWS);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load<const ROWS: usize>(tile: &Tile<'_>) -> [[__m512; 2]; ROWS] {
    let mut values = [[_mm512_setzero_ps(); 2]; ROWS];
    if tile.is_first {
        return values;
    }
    for row in 0..ROWS {
        // SAFETY: there are `ROWS` times 32 sums.
        unsafe {
            let sums = tile.sums.add(row).cast::<f32>();
            values[row][0] = _mm512_loadu_ps(sums);
            values[row][1] = _mm512_loadu_ps(sums.add(16));
        }
    }
    values
}

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn store<const ROWS: usize>(sums: *mut Sums, values: &[[__m512; 2]; ROWS]) {
    for row in 0..ROWS {
        // SAFETY: there are `ROWS` times 32 sums.
        unsafe {
            let sums = sums.add(row).cast::<f32>();
            _mm512_storeu_ps(sums, values[row][0]);
            _mm512_storeu_ps(sums.add(16), values[row][1]);
        }
    }
}

/// The scales of a group, of which two stand in a word.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn scales(words: *const u32) -> [__m512; 2] {
    // SAFETY: a group begins with 16 words of scales.
    let words = unsafe { _mm512_loadu_si512(words.cast()) };
    let high = _mm512_set1_epi32(0xffff_0000_u32 as i32);
    [
        _mm512_castsi512_ps(_mm512_slli_epi32::<16>(words)),
        _mm512_castsi512_ps(_mm512_and_si512(words, high)),
    ]
}

#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn begin<const ROWS: usize>(starts: *const i32) -> [[__m512i; 2]; ROWS] {
    let mut values = [[_mm512_setzero_si512(); 2]; ROWS];
    for row in 0..ROWS {
        // SAFETY: there are `ROWS` starts.
        values[row] = [_mm512_set1_epi32(unsafe { *starts.add(row) }); 2];
    }
    values
}

/// Adds the sums of a group, times their scales.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn add<const ROWS: usize>(
    sums: *mut Sums,
    whole: &[[__m512i; 2]; ROWS],
    scales: [__m512; 2],
) {
    for row in 0..ROWS {
        for half in 0..2 {
            // SAFETY: there are `ROWS` times 32 sums.
            unsafe {
                let sums = sums.add(row).cast::<f32>().add(16 * half);
                let sum = _mm512_loadu_ps(sums);
                let value = _mm512_cvtepi32_ps(whole[row][half]);
                _mm512_storeu_ps(sums, _mm512_fmadd_ps(value, scales[half], sum));
            }
        }
    }
}

/// Word `i` of vector `j` becomes word `j` of vector `i`: in turn, pairs of words, of two words, of four
/// and of eight change places between two vectors.
#[inline(always)]
unsafe fn transpose(vectors: &mut [__m512i; PLACES]) {
    // SAFETY: as the caller promises.
    unsafe {
        let old = *vectors;
        for row in (0..PLACES).step_by(2) {
            vectors[row] = _mm512_unpacklo_epi32(old[row], old[row + 1]);
            vectors[row + 1] = _mm512_unpackhi_epi32(old[row], old[row + 1]);
        }
        // Now vector `4 i + k` has, of each four words, word `k` of rows `4 i` to `4 i + 3`.
        let old = *vectors;
        for row in (0..PLACES).step_by(4) {
            vectors[row] = _mm512_unpacklo_epi64(old[row], old[row + 2]);
            vectors[row + 1] = _mm512_unpackhi_epi64(old[row], old[row + 2]);
            vectors[row + 2] = _mm512_unpacklo_epi64(old[row + 1], old[row + 3]);
            vectors[row + 3] = _mm512_unpackhi_epi64(old[row + 1], old[row + 3]);
        }
        // Fours of words, likewise.
        let old = *vectors;
        for k in 0..4 {
            let [a, b, c, d] = [old[k], old[k + 4], old[k + 8], old[k + 12]];
            let (low, high) = (
                _mm512_shuffle_i32x4::<0x44>(a, b), // a0 a1 b0 b1
                _mm512_shuffle_i32x4::<0x44>(c, d),
            );
            vectors[k] = _mm512_shuffle_i32x4::<0x88>(low, high); // a0 b0 c0 d0
            vectors[k + 4] = _mm512_shuffle_i32x4::<0xdd>(low, high);
            let (low, high) = (
                _mm512_shuffle_i32x4::<0xee>(a, b), // a2 a3 b2 b3
                _mm512_shuffle_i32x4::<0xee>(c, d),
            );
            vectors[k + 8] = _mm512_shuffle_i32x4::<0x88>(low, high);
            vectors[k + 12] = _mm512_shuffle_i32x4::<0xdd>(low, high);
        }
    }
}

impl Vector for __m512 {
    const NUMBERS: usize = 16;

    #[inline(always)]
    unsafe fn transpose(block: &[[u32; PLACES]; PLACES], rows: usize, words: &mut [u32]) {
        // SAFETY: as the caller promises, here and below; the first `rows` words of a place are written,
        // and behind them only what is not yet written.
        unsafe {
            let mut vectors = [_mm512_setzero_si512(); PLACES];
            for row in 0..PLACES {
                vectors[row] = _mm512_loadu_si512(block[row].as_ptr().cast());
            }
            transpose(&mut vectors);
            let places = words.len() / rows;
            for place in 0..PLACES {
                if place >= places {
                    break;
                }
                let at = words.as_mut_ptr().add(place * rows);
                if place * rows + PLACES <= words.len() {
                    _mm512_storeu_si512(at.cast(), vectors[place]);
                } else {
                    let mask = ((1_u32 << rows) - 1) as u16;
                    _mm512_mask_storeu_epi32(at.cast(), mask, vectors[place]);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn splat(number: f32) -> Self {
        // SAFETY: as the caller promises, here and below.
        unsafe { _mm512_set1_ps(number) }
    }

    #[inline(always)]
    unsafe fn load(numbers: *const f32) -> Self {
        // SAFETY: likewise.
        unsafe { _mm512_loadu_ps(numbers) }
    }

    #[inline(always)]
    unsafe fn store(self, numbers: *mut f32) {
        // SAFETY: likewise.
        unsafe { _mm512_storeu_ps(numbers, self) };
    }

    #[inline(always)]
    unsafe fn multiply_add(self, factor: Self, summand: Self) -> Self {
        // SAFETY: likewise.
        unsafe { _mm512_fmadd_ps(self, factor, summand) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: likewise.
        unsafe { _mm512_reduce_add_ps(self) }
    }

    #[inline(always)]
    unsafe fn divide(self, divisor: Self) -> Self {
        // SAFETY: likewise.
        unsafe { _mm512_div_ps(self, divisor) }
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // SAFETY: likewise.
        unsafe { _mm512_max_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        // SAFETY: likewise.
        unsafe { _mm512_reduce_max_ps(self) }
    }

    #[inline(always)]
    unsafe fn clamp(self, least: f32, most: f32) -> Self {
        // SAFETY: likewise. Of what is no number the second operand is the result.
        unsafe {
            let bounded = _mm512_max_ps(_mm512_set1_ps(least), self);
            _mm512_min_ps(_mm512_set1_ps(most), bounded)
        }
    }

    #[inline(always)]
    unsafe fn zero_where_below(self, test: Self, bound: f32) -> Self {
        // SAFETY: likewise.
        unsafe {
            let kept = _mm512_cmp_ps_mask::<_CMP_NLT_US>(test, _mm512_set1_ps(bound));
            _mm512_maskz_mov_ps(kept, self)
        }
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        // SAFETY: likewise.
        unsafe {
            let bias = _mm512_set1_epi32(127 - LARGE.to_bits() as i32);
            let exponent = _mm512_add_epi32(_mm512_castps_si512(self), bias);
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        }
    }
}
