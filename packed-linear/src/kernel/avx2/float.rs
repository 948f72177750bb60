use std::arch::x86_64::*;

use crate::kernel::walk::{Product, Sum};

impl Sum for __m256 {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm256_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn add(self, summand: Self) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm256_add_ps(self, summand) }
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
}

/// Two `bf16` in each word.
pub(super) enum Bf16 {}

impl Product for Bf16 {
    type Sum = __m256;
    type Weights = [__m256; 2];
    type Value = [__m256; 2];
    const ROW_WORDS: usize = 1;

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
