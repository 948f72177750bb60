//! A SIMD vector of `f32`, the same for every instruction set.

use std::ops::Range;

/// Words of a cache line. [`Vector::transpose`] takes this many words of up to as many rows.
pub(super) const LINE_WORDS: usize = 16;

/// Adding this to a small `f32` rounds it to an integer, ties to even, because the sum has no bits left
/// for a fraction. The low bits of the sum are that integer.
pub(super) const ROUNDING: f32 = (3 << 22) as f32;

/// Cuts the terms of a sum into blocks. The rounding error of a sum grows with the number of additions in
/// sequence, so blocks are accumulated one by one, and then their sums. Blocks don't depend on each other,
/// so that a processor can start one before the last is finished.
///
/// The error is smallest with about as many blocks as there are terms in a block. But adding a block takes
/// as long as another term, so the blocks of long sums have 64 terms, and cost 1.5 % of the time.
#[inline(always)]
pub(super) fn blocks(terms: usize) -> impl Iterator<Item = Range<usize>> {
    let length = match terms {
        0..=64 => 8,
        65..=256 => 16,
        _ => 64,
    };
    (0..terms)
        .step_by(length)
        .map(move |start| start..terms.min(start + length))
}

/// A SIMD vector of `f32`.
///
/// All functions are inlined into functions with the target features of the vector: only there are they
/// compiled to its instructions.
///
/// # Safety
/// Every function requires that the processor has the instructions of the vector. Pointers point to
/// [`WIDTH`](Self::WIDTH) elements.
pub(super) trait Vector: Copy {
    /// Elements of a vector; a divisor of [`LANES`](crate::shape::LANES), at most [`LINE_WORDS`].
    const WIDTH: usize;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(values: *const f32) -> Self;
    unsafe fn store(self, values: *mut f32);
    /// `self · factor + summand`
    unsafe fn multiply_add(self, factor: Self, summand: Self) -> Self;
    /// The sum of all elements.
    unsafe fn sum(self) -> f32;
    unsafe fn divide(self, divisor: Self) -> Self;
    /// The larger of two elements; `other`'s if one of them is NaN.
    unsafe fn max(self, other: Self) -> Self;
    unsafe fn abs(self) -> Self;
    /// Elements below a bound become the bound; NaN is kept.
    unsafe fn at_least(self, bound: f32) -> Self;
    /// Elements above a bound become the bound; NaN is kept.
    unsafe fn at_most(self, bound: f32) -> Self;
    /// `2ⁿ` for elements `n + ROUNDING`, where `n` is an integer.
    unsafe fn power_of_two(self) -> Self;

    /// The largest element, if none is NaN.
    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        let mut values = [f32::NEG_INFINITY; LINE_WORDS];
        // SAFETY: as the caller promises; a vector is no wider than a cache line.
        unsafe { self.store(values.as_mut_ptr()) };
        values.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }

    /// Writes the first word of the first `rows` rows, then the second word of each, and so on to the end
    /// of `words`.
    #[inline(always)]
    unsafe fn transpose(block: &[[u32; LINE_WORDS]; LINE_WORDS], rows: usize, words: &mut [u32]) {
        for (column, words) in words.chunks_exact_mut(rows).enumerate() {
            for row in 0..rows {
                words[row] = block[row][column];
            }
        }
    }

    /// Writes the first word of the first `rows` rows, then the second word of each at `stride`, and so on for
    /// `columns` words.
    #[cfg(feature = "autodiff")]
    #[inline(always)]
    unsafe fn spread(
        block: &[[u32; LINE_WORDS]; LINE_WORDS],
        [rows, columns]: [usize; 2],
        target: *mut u32,
        stride: usize,
    ) {
        for column in 0..columns {
            for row in 0..rows {
                // SAFETY: as the caller promises, there is room.
                unsafe { target.add(column * stride + row).write(block[row][column]) };
            }
        }
    }

    #[inline(always)]
    unsafe fn multiply(self, factor: Self) -> Self {
        // SAFETY: as the caller promises.
        unsafe { self.multiply_add(factor, Self::splat(0.0)) }
    }

    #[inline(always)]
    unsafe fn add(self, summand: Self) -> Self {
        // SAFETY: as the caller promises.
        unsafe { self.multiply_add(Self::splat(1.0), summand) }
    }

    /// The dot product of two slices of the same length.
    #[inline(always)]
    unsafe fn dot(a: &[f32], b: &[f32]) -> f32 {
        let length = a.len().min(b.len());
        let vectors_end = length / Self::WIDTH * Self::WIDTH;
        // SAFETY: as the caller promises; indices below the length of both.
        let sum = unsafe {
            // Two sums, so that an addition need not wait for the one before it.
            let (mut even, mut odd) = (Self::splat(0.0), Self::splat(0.0));
            let mut at = 0;
            while at < vectors_end {
                let (a, b) = (a.as_ptr().add(at), b.as_ptr().add(at));
                even = Self::load(a).multiply_add(Self::load(b), even);
                std::mem::swap(&mut even, &mut odd);
                at += Self::WIDTH;
            }
            even.add(odd).sum()
        };
        let mut rest = 0.0;
        for at in vectors_end..length {
            rest += a[at] * b[at];
        }
        sum + rest
    }
}
