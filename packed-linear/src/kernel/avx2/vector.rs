//! Vectors of 256 bits.

use std::arch::x86_64::*;

use crate::kernel::vector::{ROUNDING, Vector};

impl Vector for __m256 {
    const WIDTH: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(values: *const f32) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm256_loadu_ps(values) }
    }

    #[inline(always)]
    unsafe fn store(self, values: *mut f32) {
        // SAFETY: as the caller promises.
        unsafe { _mm256_storeu_ps(values, self) };
    }

    #[inline(always)]
    unsafe fn multiply_add(self, factor: Self, summand: Self) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm256_fmadd_ps(self, factor, summand) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: as the caller promises.
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
        // SAFETY: as the caller promises.
        unsafe { _mm256_div_ps(self, divisor) }
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm256_max_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: as the caller promises.
        unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self) }
    }

    #[inline(always)]
    unsafe fn at_least(self, bound: f32) -> Self {
        // SAFETY: as the caller promises. If an operand is NaN, the second one is the result.
        unsafe { _mm256_max_ps(_mm256_set1_ps(bound), self) }
    }

    #[inline(always)]
    unsafe fn at_most(self, bound: f32) -> Self {
        // SAFETY: as the caller promises. If an operand is NaN, the second one is the result.
        unsafe { _mm256_min_ps(_mm256_set1_ps(bound), self) }
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        // SAFETY: as the caller promises.
        unsafe {
            let bias = _mm256_set1_epi32(127 - ROUNDING.to_bits() as i32);
            let exponent = _mm256_add_epi32(_mm256_castps_si256(self), bias);
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
        }
    }
}
