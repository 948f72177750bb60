//! Arrays as vectors.

use crate::kernel::vector::{ROUNDING, Vector};

impl Vector for [f32; 8] {
    const WIDTH: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        [value; 8]
    }

    #[inline(always)]
    unsafe fn load(values: *const f32) -> Self {
        // SAFETY: as the caller promises; an array has the alignment of its elements.
        unsafe { *values.cast() }
    }

    #[inline(always)]
    unsafe fn store(self, values: *mut f32) {
        // SAFETY: as the caller promises.
        unsafe { *values.cast() = self };
    }

    #[inline(always)]
    unsafe fn multiply_add(mut self, factor: Self, summand: Self) -> Self {
        for at in 0..8 {
            self[at] = self[at] * factor[at] + summand[at];
        }
        self
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self;
        ((a + b) + (c + d)) + ((e + f) + (g + h))
    }

    #[inline(always)]
    unsafe fn divide(mut self, divisor: Self) -> Self {
        for at in 0..8 {
            self[at] /= divisor[at];
        }
        self
    }

    #[inline(always)]
    unsafe fn max(mut self, other: Self) -> Self {
        for at in 0..8 {
            self[at] = match self[at] > other[at] {
                true => self[at],
                false => other[at],
            };
        }
        self
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        self.map(f32::abs)
    }

    #[inline(always)]
    unsafe fn at_least(self, bound: f32) -> Self {
        self.map(|value| if value < bound { bound } else { value })
    }

    #[inline(always)]
    unsafe fn at_most(self, bound: f32) -> Self {
        self.map(|value| if value > bound { bound } else { value })
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        self.map(|value| {
            let n = value.to_bits().wrapping_sub(ROUNDING.to_bits());
            f32::from_bits(n.wrapping_add(127) << 23)
        })
    }
}
