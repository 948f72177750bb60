use super::block::PLACES;
use super::functions::{gelu, quick_gelu};
use super::tile::{Outputs, Sums};
use crate::Activation;
use crate::epilogue::Epilogue;
use crate::shape::LANES;

/// Behind so large a number there is no room for a fraction, and the low bits of a sum with it are the
/// whole number.
pub(super) const LARGE: f32 = (3 << 22) as f32;

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
    unsafe fn divide(self, divisor: Self) -> Self;
    /// The larger of two numbers; `other` where one is none.
    unsafe fn max(self, other: Self) -> Self;
    /// What is no number stays so.
    unsafe fn clamp(self, least: f32, most: f32) -> Self;
    /// Zero where `test` is below a bound.
    unsafe fn zero_where_below(self, test: Self, bound: f32) -> Self;
    /// `2ⁿ` of whole numbers `n` to which [`LARGE`] was added.
    unsafe fn power_of_two(self) -> Self;

    /// The largest of its numbers, which are all numbers.
    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        let mut numbers = [f32::NEG_INFINITY; LANES];
        // SAFETY: as the caller promises; a vector has no more numbers than a panel.
        unsafe { self.store(numbers.as_mut_ptr()) };
        numbers.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }

    /// Writes the first words of some rows, then the second of each, and so on until the end of `words`.
    #[inline(always)]
    unsafe fn transpose(block: &[[u32; PLACES]; PLACES], rows: usize, words: &mut [u32]) {
        for (place, words) in words.chunks_exact_mut(rows).enumerate() {
            for row in 0..rows {
                words[row] = block[row][place];
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
        // SAFETY: likewise.
        unsafe { self.multiply_add(Self::splat(1.0), summand) }
    }

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

    /// Finishes the sums of a block of rows for the outputs of a panel, and writes them; see [`Epilogue`].
    #[inline(always)]
    unsafe fn finish(epilogue: &Epilogue<'_>, sums: &[Sums], scales: &[f32], outputs: Outputs) {
        let [first, count] = outputs.columns;
        let mut bias = [0.0; LANES];
        if let Some(all) = epilogue.bias {
            bias[..count].copy_from_slice(&all[first..first + count]);
        }
        for row in 0..sums.len() {
            let (sums, scale) = (&sums[row], scales[row]);
            // SAFETY: as the caller promises.
            unsafe {
                let output = outputs.place.add(row * outputs.stride);
                if count == LANES {
                    Self::finish_panel(epilogue, sums, scale, &bias, output);
                    continue;
                }
                // The outputs end within the panel. They are only read if they were written.
                let mut finished = [0.0; LANES];
                if epilogue.is_added {
                    std::ptr::copy_nonoverlapping(output, finished.as_mut_ptr(), count);
                }
                Self::finish_panel(epilogue, sums, scale, &bias, finished.as_mut_ptr());
                std::ptr::copy_nonoverlapping(finished.as_ptr(), output, count);
            }
        }
    }

    /// Finishes the sums of a row, all outputs of a panel.
    #[inline(always)]
    unsafe fn finish_panel(
        epilogue: &Epilogue<'_>,
        sums: &Sums,
        scale: f32,
        bias: &[f32; LANES],
        output: *mut f32,
    ) {
        // SAFETY: as the caller promises, a panel of each.
        unsafe {
            let scale = Self::splat(scale);
            let mut place = 0;
            while place < LANES {
                let summand = Self::load(bias.as_ptr().add(place));
                let sum = Self::load(sums.as_ptr().add(place)).multiply_add(scale, summand);
                let mut value = match epilogue.activation {
                    Some(Activation::Gelu) => gelu(sum),
                    Some(Activation::QuickGelu) => quick_gelu(sum),
                    Some(Activation::Relu) => sum.clamp(0.0, f32::INFINITY),
                    None => sum,
                };
                if epilogue.is_added {
                    let present = Self::load(output.add(place));
                    value = value.add(present);
                }
                value.store(output.add(place));
                place += Self::NUMBERS;
            }
        }
    }
}
