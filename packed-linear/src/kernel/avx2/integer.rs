use std::arch::x86_64::*;
use std::marker::PhantomData;

use crate::kernel::walk::{IntegerSum, Product, Sum};

impl Sum for __m256i {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn add(self, summand: Self) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm256_add_epi32(self, summand) }
    }
}

impl IntegerSum for __m256i {
    #[inline(always)]
    unsafe fn splat(value: i32) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm256_set1_epi32(value) }
    }

    #[inline(always)]
    unsafe fn add_scaled(self, scales: *const u32, vector: usize, to: [f32; 8]) -> [f32; 8] {
        // SAFETY: as the caller promises. The lower halves of the words are the first 16 scales.
        unsafe {
            let words = _mm256_loadu_si256(scales.add(8 * (vector % 2)).cast());
            let scales = match vector / 2 {
                0 => _mm256_slli_epi32::<16>(words),
                _ => _mm256_and_si256(words, _mm256_set1_epi32(0xffff_0000_u32 as i32)),
            };
            let (sums, scales) = (_mm256_cvtepi32_ps(self), _mm256_castsi256_ps(scales));
            let scaled = _mm256_fmadd_ps(sums, scales, _mm256_loadu_ps(to.as_ptr()));
            let mut result = [0.0; 8];
            _mm256_storeu_ps(result.as_mut_ptr(), scaled);
            result
        }
    }
}

/// The instructions that multiply unsigned 8-bit weights by signed values.
///
/// # Safety
/// As for [`Product`].
pub(super) trait Multiply {
    /// Adds four products of 8-bit weights to each sum.
    unsafe fn add_four(sum: __m256i, weights: __m256i, value: __m256i) -> __m256i;
    /// Adds eight products of 4-bit weights to each sum.
    unsafe fn add_eight(sum: __m256i, weights: [__m256i; 2], value: [__m256i; 2]) -> __m256i;
}

/// Those of AVX2: sums of pairs in 16 bits, then sums of these pairs.
pub(super) enum Pairs {}

impl Multiply for Pairs {
    #[inline(always)]
    unsafe fn add_four(sum: __m256i, weights: __m256i, value: __m256i) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe {
            // Two products fit into 16 bits, since rows are limited.
            let pairs = _mm256_maddubs_epi16(weights, value);
            _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
    }

    #[inline(always)]
    unsafe fn add_eight(sum: __m256i, weights: [__m256i; 2], value: [__m256i; 2]) -> __m256i {
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
}

/// That of AVX-VNNI, which adds four products to a sum.
pub(super) enum Vnni {}

impl Multiply for Vnni {
    #[inline(always)]
    unsafe fn add_four(sum: __m256i, weights: __m256i, value: __m256i) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe { _mm256_dpbusd_avx_epi32(sum, weights, value) }
    }

    #[inline(always)]
    unsafe fn add_eight(sum: __m256i, weights: [__m256i; 2], value: [__m256i; 2]) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe {
            let sum = _mm256_dpbusd_avx_epi32(sum, weights[0], value[0]);
            _mm256_dpbusd_avx_epi32(sum, weights[1], value[1])
        }
    }
}

/// Four unsigned 8-bit integers in each word.
pub(super) struct Int8<M>(PhantomData<M>);

impl<M: Multiply> Product for Int8<M> {
    type Sum = __m256i;
    type Weights = __m256i;
    type Value = __m256i;
    const ROW_WORDS: usize = 1;

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
        unsafe { M::add_four(sum, weights, value) }
    }
}

/// Eight unsigned 4-bit integers in each word.
pub(super) struct Int4<M>(PhantomData<M>);

impl<M: Multiply> Product for Int4<M> {
    type Sum = __m256i;
    type Weights = [__m256i; 2];
    type Value = [__m256i; 2];
    const ROW_WORDS: usize = 2;

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
        unsafe { M::add_eight(sum, weights, value) }
    }
}
