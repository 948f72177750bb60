use std::arch::x86_64::*;

use super::walk::{Product, Walk};
use crate::kernel::tile::{Sums, Tile};
use crate::kernel::vector::blocks;
use crate::shape::LANES;

/// Multiplies a tile of a format whose sums are `f32`.
///
/// # Safety
/// See [`TileFunction`](crate::kernel::table::TileFunction). The processor has the target features. The tile has
/// `PANELS` panels.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn float_tile<
    P: Product<Sum = __m256>,
    const ROWS: usize,
    const PANELS: usize,
    const COLUMNS: usize,
>(
    tile: &Tile<'_>,
) {
    let mut walk = Walk::new(tile);
    // SAFETY: the tile has `steps` steps, and 32 sums for each row and panel.
    unsafe {
        if tile.is_first {
            let sums = tile.sums.cast::<[[Sums; ROWS]; PANELS]>();
            sums.write([[[0.0; LANES]; ROWS]; PANELS]);
        }
        for block in blocks(tile.steps) {
            walk.multiply::<P, ROWS, PANELS, COLUMNS>(block.len(), tile.sums.cast());
        }
    }
}

/// One `f32` in each word.
pub(super) enum F32 {}

impl Product for F32 {
    type Sum = __m256;
    type Weights = __m256;
    type Value = __m256;
    const ROW_WORDS: usize = 1;

    #[inline(always)]
    unsafe fn zero() -> __m256 {
        // SAFETY: as the caller promises.
        unsafe { _mm256_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn weights(words: *const u32) -> __m256 {
        // SAFETY: as the caller promises.
        unsafe { _mm256_loadu_ps(words.cast()) }
    }

    #[inline(always)]
    unsafe fn value(words: *const u32, _stride: usize) -> __m256 {
        // SAFETY: as the caller promises.
        unsafe { _mm256_set1_ps(f32::from_bits(*words)) }
    }

    #[inline(always)]
    unsafe fn multiply_add(sum: __m256, weights: __m256, value: __m256) -> __m256 {
        // SAFETY: as the caller promises.
        unsafe { _mm256_fmadd_ps(weights, value, sum) }
    }

    #[inline(always)]
    unsafe fn add(sum: __m256, summand: __m256) -> __m256 {
        // SAFETY: as the caller promises.
        unsafe { _mm256_add_ps(sum, summand) }
    }
}

/// Two `bf16` in each word.
pub(super) enum Bf16 {}

impl Product for Bf16 {
    type Sum = __m256;
    type Weights = [__m256; 2];
    type Value = [__m256; 2];
    const ROW_WORDS: usize = 1;

    #[inline(always)]
    unsafe fn zero() -> __m256 {
        // SAFETY: as the caller promises.
        unsafe { _mm256_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn weights(words: *const u32) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        unsafe { halves(_mm256_loadu_si256(words.cast())) }
    }

    #[inline(always)]
    unsafe fn value(words: *const u32, _stride: usize) -> [__m256; 2] {
        // SAFETY: as the caller promises.
        unsafe { halves(_mm256_set1_epi32(*words as i32)) }
    }

    #[inline(always)]
    unsafe fn multiply_add(sum: __m256, weights: [__m256; 2], value: [__m256; 2]) -> __m256 {
        // SAFETY: as the caller promises.
        unsafe {
            let sum = _mm256_fmadd_ps(weights[0], value[0], sum);
            _mm256_fmadd_ps(weights[1], value[1], sum)
        }
    }

    #[inline(always)]
    unsafe fn add(sum: __m256, summand: __m256) -> __m256 {
        // SAFETY: as the caller promises.
        unsafe { _mm256_add_ps(sum, summand) }
    }
}

/// The lower and the upper halves of words, as `f32`.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn halves(words: __m256i) -> [__m256; 2] {
    // SAFETY: as the caller promises.
    unsafe {
        let high = _mm256_set1_epi32(0xffff_0000_u32 as i32);
        [
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(words)),
            _mm256_castsi256_ps(_mm256_and_si256(words, high)),
        ]
    }
}
