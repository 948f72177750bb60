//! Vectors of 16 numbers.

use std::arch::x86_64::*;

use crate::kernel::block::PLACES;
use crate::kernel::vector::{LARGE, Vector};

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
