//! Vectors of 512 bits.

use std::arch::x86_64::*;

use crate::kernel::vector::{LINE_WORDS, ROUNDING, Vector};

impl Vector for __m512 {
    const WIDTH: usize = 16;

    #[inline(always)]
    unsafe fn transpose(block: &[[u32; LINE_WORDS]; LINE_WORDS], rows: usize, words: &mut [u32]) {
        // SAFETY: as the caller promises. Each store begins where the column goes; what it writes after the
        // column is overwritten by the next columns, or masked out at the end of `words`.
        unsafe {
            let mut vectors = [_mm512_setzero_si512(); LINE_WORDS];
            for row in 0..LINE_WORDS {
                vectors[row] = _mm512_loadu_si512(block[row].as_ptr().cast());
            }
            transpose(&mut vectors);
            let columns = words.len() / rows;
            for column in 0..LINE_WORDS {
                if column >= columns {
                    break;
                }
                let target = words.as_mut_ptr().add(column * rows);
                if column * rows + LINE_WORDS <= words.len() {
                    _mm512_storeu_si512(target.cast(), vectors[column]);
                } else {
                    let mask = ((1_u32 << rows) - 1) as u16;
                    _mm512_mask_storeu_epi32(target.cast(), mask, vectors[column]);
                }
            }
        }
    }

    #[cfg(feature = "autodiff")]
    #[inline(always)]
    unsafe fn spread(
        block: &[[u32; LINE_WORDS]; LINE_WORDS],
        [rows, columns]: [usize; 2],
        target: *mut u32,
        stride: usize,
    ) {
        // SAFETY: as the caller promises; a mask hides what is not of a column.
        unsafe {
            let mut vectors = [_mm512_setzero_si512(); LINE_WORDS];
            for row in 0..LINE_WORDS {
                vectors[row] = _mm512_loadu_si512(block[row].as_ptr().cast());
            }
            transpose(&mut vectors);
            let mask = ((1_u32 << rows) - 1) as u16;
            for column in 0..LINE_WORDS {
                if column < columns {
                    let target = target.add(column * stride).cast();
                    _mm512_mask_storeu_epi32(target, mask, vectors[column]);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(values: *const f32) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm512_loadu_ps(values) }
    }

    #[inline(always)]
    unsafe fn store(self, values: *mut f32) {
        // SAFETY: as the caller promises.
        unsafe { _mm512_storeu_ps(values, self) };
    }

    #[inline(always)]
    unsafe fn multiply_add(self, factor: Self, summand: Self) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm512_fmadd_ps(self, factor, summand) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: as the caller promises.
        unsafe { _mm512_reduce_add_ps(self) }
    }

    #[inline(always)]
    unsafe fn divide(self, divisor: Self) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm512_div_ps(self, divisor) }
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm512_max_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        // SAFETY: as the caller promises.
        unsafe { _mm512_reduce_max_ps(self) }
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm512_abs_ps(self) }
    }

    #[inline(always)]
    unsafe fn at_least(self, bound: f32) -> Self {
        // SAFETY: as the caller promises. If an operand is NaN, the second one is the result.
        unsafe { _mm512_max_ps(_mm512_set1_ps(bound), self) }
    }

    #[inline(always)]
    unsafe fn at_most(self, bound: f32) -> Self {
        // SAFETY: as the caller promises. If an operand is NaN, the second one is the result.
        unsafe { _mm512_min_ps(_mm512_set1_ps(bound), self) }
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        // SAFETY: as the caller promises.
        unsafe {
            let bias = _mm512_set1_epi32(127 - ROUNDING.to_bits() as i32);
            let exponent = _mm512_add_epi32(_mm512_castps_si512(self), bias);
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        }
    }
}

/// Transposes a matrix of 16 × 16 words: first within groups of two and of four rows, then of fours.
///
/// # Safety
/// The processor has AVX-512F.
#[inline(always)]
unsafe fn transpose(vectors: &mut [__m512i; LINE_WORDS]) {
    // SAFETY: as the caller promises.
    unsafe {
        let old = *vectors;
        for row in (0..LINE_WORDS).step_by(2) {
            vectors[row] = _mm512_unpacklo_epi32(old[row], old[row + 1]);
            vectors[row + 1] = _mm512_unpackhi_epi32(old[row], old[row + 1]);
        }
        // Now vector `4 i + k` has, of each four words, word `k` of rows `4 i` to `4 i + 3`.
        let old = *vectors;
        for row in (0..LINE_WORDS).step_by(4) {
            vectors[row] = _mm512_unpacklo_epi64(old[row], old[row + 2]);
            vectors[row + 1] = _mm512_unpackhi_epi64(old[row], old[row + 2]);
            vectors[row + 2] = _mm512_unpacklo_epi64(old[row + 1], old[row + 3]);
            vectors[row + 3] = _mm512_unpackhi_epi64(old[row + 1], old[row + 3]);
        }
        // Now the same with groups of four words in place of words.
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
