use super::functions::{gelu, quick_gelu};
use super::tile::Sums;
use crate::Activation;
use crate::epilogue::Epilogue;
use crate::shape::LANES;

/// Behind so large a number there is no room for a fraction, and the low bits of a sum with it are the
/// whole number.
pub(crate) const LARGE: f32 = (3 << 22) as f32;

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
    /// What is no number stays so.
    unsafe fn clamp(self, least: f32, most: f32) -> Self;
    /// Zero where `test` is below a bound.
    unsafe fn zero_where_below(self, test: Self, bound: f32) -> Self;
    /// `2ⁿ` of whole numbers `n` to which [`LARGE`] was added.
    unsafe fn power_of_two(self) -> Self;

    #[inline(always)]
    unsafe fn multiply(self, factor: Self) -> Self {
        // SAFETY: as the caller promises.
        unsafe { self.multiply_add(factor, Self::splat(0.0)) }
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

    /// Finishes the sums of a row for the `count` outputs of a panel that begin with `first`, and writes
    /// them; see [`Epilogue`].
    #[inline(always)]
    unsafe fn finish(
        epilogue: &Epilogue<'_>,
        sums: &Sums,
        scale: f32,
        first: usize,
        (output, count): (*mut f32, usize),
    ) {
        if count == LANES {
            let bias = epilogue
                .bias
                .map(|bias| bias[first..first + LANES].as_ptr());
            // SAFETY: a panel has as many sums, biases and outputs.
            unsafe { Self::finish_panel(epilogue.activation, sums, scale, bias, output) };
            return;
        }
        // The bias and the outputs end within the panel.
        let mut whole = [[0.0; LANES]; 2];
        if let Some(bias) = epilogue.bias {
            whole[0][..count].copy_from_slice(&bias[first..first + count]);
        }
        let [bias, finished] = &mut whole;
        // SAFETY: both are as long as a panel; there are `count` outputs.
        unsafe {
            let bias = Some(bias.as_ptr());
            Self::finish_panel(
                epilogue.activation,
                sums,
                scale,
                bias,
                finished.as_mut_ptr(),
            );
            std::ptr::copy_nonoverlapping(finished.as_ptr(), output, count);
        }
    }

    #[inline(always)]
    unsafe fn finish_panel(
        activation: Option<Activation>,
        sums: &Sums,
        scale: f32,
        bias: Option<*const f32>,
        output: *mut f32,
    ) {
        // SAFETY: as the caller promises, a panel of each.
        unsafe {
            let scale = Self::splat(scale);
            let mut place = 0;
            while place < LANES {
                let summand = match bias {
                    Some(bias) => Self::load(bias.add(place)),
                    None => Self::splat(0.0),
                };
                let sum = Self::load(sums.as_ptr().add(place)).multiply_add(scale, summand);
                let value = match activation {
                    Some(Activation::Gelu) => gelu(sum),
                    Some(Activation::QuickGelu) => quick_gelu(sum),
                    Some(Activation::Relu) => sum.clamp(0.0, f32::INFINITY),
                    None => sum,
                };
                value.store(output.add(place));
                place += Self::NUMBERS;
            }
        }
    }
}
