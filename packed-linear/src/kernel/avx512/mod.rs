//! Kernels for AVX-512, with its instructions for 8-bit integers (VNNI) and for `bf16`.
//!
//! Two vectors of 16 sums for each row, up to twelve rows: 24 of the 32 registers.

#[cfg(feature = "autodiff")]
mod training;
mod vector;

use std::arch::x86_64::*;

use super::table::{Kernel, TileFunction, tiles, vector_functions};
use super::tile::{Sums, Tile};
#[cfg(feature = "autodiff")]
use super::training_functions::TrainingFunctions;
use super::vector::blocks;
use crate::shape::LANES;

pub(super) const F32: Kernel = Kernel {
    #[cfg(feature = "autodiff")]
    training: TrainingFunctions {
        tiles: {
            use training::tile;
            tiles!(tile: 1 2 3 4 5 6 7 8 9 10 11 12)
        },
        ..TRAINING
    },
    ..kernel(
        "avx512",
        tiles!(f32_tile: 1 2 3 4 5 6 7 8 9 10 11 12),
        has_avx512,
    )
};
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
        pair_tiles: &[],
        limits_integers: false,
        finish,
        pack,
        normalise,
        attend,
        #[cfg(feature = "autodiff")]
        training: TRAINING,
        is_available,
    }
}

vector_functions!(__m512, "avx512f,avx512bw");

/// Prefetches the words of a later step and returns the address to prefetch next. With a few rows, which use
/// words as fast as memory delivers them, they go to the first cache, otherwise to the second.
#[inline(always)]
fn prefetch<const ROWS: usize>(tile: &Tile<'_>, ahead: *const u32) -> *const u32 {
    let next = ahead.wrapping_add(LANES / 2);
    // SAFETY: the instruction reads nothing and ignores invalid addresses.
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
/// See [`TileFunction`]. The processor has the target features.
#[target_feature(enable = "avx512f")]
unsafe fn f32_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows, mut ahead) = (tile.words, tile.rows, tile.ahead);
    // SAFETY: the tile has `steps` times 32 words and `steps` times `ROWS` words of the rows.
    unsafe {
        let mut total = [[_mm512_setzero_ps(); 2]; ROWS];
        for block in blocks(tile.steps) {
            let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
            for _ in block {
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
            add(&mut total, &sums);
        }
        add_total(tile, &total);
    }
}

/// # Safety
/// See [`TileFunction`]. The processor has the target features.
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn bf16_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows, mut ahead) = (tile.words, tile.rows, tile.ahead);
    // SAFETY: as in `f32_tile`; any bits are valid vectors of `bf16`.
    unsafe {
        let pairs = |vector: __m512i| std::mem::transmute::<__m512i, __m512bh>(vector);
        let mut total = [[_mm512_setzero_ps(); 2]; ROWS];
        for block in blocks(tile.steps) {
            let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
            for _ in block {
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
            add(&mut total, &sums);
        }
        add_total(tile, &total);
    }
}

/// # Safety
/// See [`TileFunction`]. The processor has the target features.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn int8_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows, mut starts) = (tile.words, tile.rows, tile.starts);
    let mut ahead = tile.ahead;
    // SAFETY: the tile has `groups` groups. Each has 16 words of scales and `steps` times 32 words, `steps`
    // times `ROWS` words of the rows, and `ROWS` starts.
    unsafe {
        for group in 0..tile.groups {
            let scales = scales(words);
            words = words.add(LANES / 2);
            let mut integers = begin::<ROWS>(starts);
            for _ in 0..tile.steps {
                let low = _mm512_loadu_si512(words.cast());
                let high = _mm512_loadu_si512(words.add(16).cast());
                ahead = prefetch::<ROWS>(tile, ahead);
                for row in 0..ROWS {
                    let value = _mm512_set1_epi32(*rows.add(row) as i32);
                    integers[row][0] = _mm512_dpbusd_epi32(integers[row][0], low, value);
                    integers[row][1] = _mm512_dpbusd_epi32(integers[row][1], high, value);
                }
                words = words.add(LANES);
                rows = rows.add(ROWS);
            }
            tile.clear_before::<ROWS>(group);
            add_group(tile.sums, &integers, scales);
            starts = starts.add(ROWS);
        }
    }
}

/// # Safety
/// See [`TileFunction`]. The processor has the target features.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn int4_tile<const ROWS: usize>(tile: &Tile<'_>) {
    let (mut words, mut rows, mut starts) = (tile.words, tile.rows, tile.starts);
    let mut ahead = tile.ahead;
    // SAFETY: as in `int8_tile`, but with two words of each row per step.
    unsafe {
        let nibbles = _mm512_set1_epi32(0x0f0f_0f0f);
        for group in 0..tile.groups {
            let scales = scales(words);
            words = words.add(LANES / 2);
            let mut integers = begin::<ROWS>(starts);
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
                    integers[row][0] = _mm512_dpbusd_epi32(integers[row][0], first[0], value);
                    integers[row][1] = _mm512_dpbusd_epi32(integers[row][1], first[1], value);
                }
                for row in 0..ROWS {
                    let value = _mm512_set1_epi32(*rows.add(ROWS + row) as i32);
                    integers[row][0] = _mm512_dpbusd_epi32(integers[row][0], second[0], value);
                    integers[row][1] = _mm512_dpbusd_epi32(integers[row][1], second[1], value);
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
#[target_feature(enable = "avx512f")]
fn add<const ROWS: usize>(total: &mut [[__m512; 2]; ROWS], block: &[[__m512; 2]; ROWS]) {
    for row in 0..ROWS {
        for vector in 0..2 {
            total[row][vector] = _mm512_add_ps(total[row][vector], block[row][vector]);
        }
    }
}

/// Adds the total of a tile to its sums.
///
/// # Safety
/// The processor has AVX-512F; the tile has `ROWS` rows.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn add_total<const ROWS: usize>(tile: &Tile<'_>, total: &[[__m512; 2]; ROWS]) {
    for row in 0..ROWS {
        for vector in 0..2 {
            // SAFETY: there are `ROWS` times 32 sums.
            unsafe {
                let sums = tile.sums.add(row).cast::<f32>().add(16 * vector);
                let sum = match tile.is_first {
                    true => total[row][vector],
                    false => _mm512_add_ps(_mm512_loadu_ps(sums), total[row][vector]),
                };
                _mm512_storeu_ps(sums, sum);
            }
        }
    }
}

/// The scales of a group, two in each word.
///
/// # Safety
/// The processor has AVX-512F; a group with scales begins at `words`.
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

/// What the integer sums of a group start with.
///
/// # Safety
/// The processor has AVX-512F; there are `ROWS` starts.
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

/// Adds the integer sums of a group, times their scales.
///
/// # Safety
/// The processor has AVX-512F; there are `ROWS` sums.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn add_group<const ROWS: usize>(
    sums: *mut Sums,
    integers: &[[__m512i; 2]; ROWS],
    scales: [__m512; 2],
) {
    for row in 0..ROWS {
        for half in 0..2 {
            // SAFETY: there are `ROWS` times 32 sums.
            unsafe {
                let sums = sums.add(row).cast::<f32>().add(16 * half);
                let sum = _mm512_loadu_ps(sums);
                let value = _mm512_cvtepi32_ps(integers[row][half]);
                _mm512_storeu_ps(sums, _mm512_fmadd_ps(value, scales[half], sum));
            }
        }
    }
}
