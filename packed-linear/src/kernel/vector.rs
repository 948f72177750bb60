use crate::epilogue::Epilogue;
use crate::shape::LANES;

use super::tile::Sums;

/// A few numbers that a processor works on at once, and the loops over longer rows of numbers that
/// are the same for vectors of any length.
///
/// Everything is inlined into functions that have the instructions: only there are the loops compiled
/// with them.
///
/// # Safety
/// All functions are unsafe because the processor must have the vector's instructions. Pointers are to
/// [`NUMBERS`](Self::NUMBERS) numbers.
pub(super) trait Vector: Copy {
    /// Numbers of a vector; divides [`LANES`].
    const NUMBERS: usize;

    unsafe fn splat(number: f32) -> Self;
    unsafe fn load(numbers: *const f32) -> Self;
    unsafe fn store(self, numbers: *mut f32);
    /// `self · factor + summand`
    unsafe fn multiply_add(self, factor: Self, summand: Self) -> Self;
    unsafe fn sum(self) -> f32;

    /// The sum of the products of two rows of the same length.
    #[inline(always)]
    unsafe fn product(a: &[f32], b: &[f32]) -> f32 {
        let length = a.len().min(b.len());
        let whole = length / Self::NUMBERS * Self::NUMBERS;
        // SAFETY: places below the length of both.
        let sum = unsafe {
            // Two sums, so that one addition need not wait for the one before.
            let (mut even, mut odd) = (Self::splat(0.0), Self::splat(0.0));
            let mut place = 0;
            while place < whole {
                let (a, b) = (a.as_ptr().add(place), b.as_ptr().add(place));
                even = Self::load(a).multiply_add(Self::load(b), even);
                std::mem::swap(&mut even, &mut odd);
                place += Self::NUMBERS;
            }
            even.multiply_add(Self::splat(1.0), odd).sum()
        };
        let mut rest = 0.0;
        for place in whole..length {
            rest += a[place] * b[place];
        }
        sum + rest
    }

    /// Adds a multiple of a row to sums of the same length.
    #[inline(always)]
    unsafe fn add_product(sums: &mut [f32], weight: f32, row: &[f32]) {
        let length = sums.len().min(row.len());
        let whole = length / Self::NUMBERS * Self::NUMBERS;
        // SAFETY: places below the length of both.
        unsafe {
            let weight = Self::splat(weight);
            let mut place = 0;
            while place < whole {
                let sum = sums.as_mut_ptr().add(place);
                let numbers = Self::load(row.as_ptr().add(place));
                weight.multiply_add(numbers, Self::load(sum)).store(sum);
                place += Self::NUMBERS;
            }
        }
        for place in whole..length {
            sums[place] += weight * row[place];
        }
    }

    /// Finishes the sums of a whole panel; see [`Epilogue`].
    #[inline(always)]
    unsafe fn finish(epilogue: &Epilogue<'_>, sums: &mut Sums, scale: f32, first: usize) {
        let bias = epilogue
            .bias
            .map(|bias| bias[first..first + LANES].as_ptr());
        // SAFETY: a panel has as many sums and biases.
        unsafe {
            let scale = Self::splat(scale);
            let mut place = 0;
            while place < LANES {
                let sum = sums.as_mut_ptr().add(place);
                let summand = match bias {
                    Some(bias) => Self::load(bias.add(place)),
                    None => Self::splat(0.0),
                };
                Self::load(sum).multiply_add(scale, summand).store(sum);
                place += Self::NUMBERS;
            }
        }
        epilogue.activate(sums);
    }
}
