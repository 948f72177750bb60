#![allow(clippy::needless_range_loop)] // Loops count, so that they are compiled for the kernel's instructions.

use crate::Activation;
use crate::shape::LANES;

/// What becomes of the 32 sums of a panel: a bias is added, and perhaps a function applied.
#[derive(Clone, Copy)]
pub(crate) struct Epilogue<'a> {
    /// `[outputs]`
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) activation: Option<Activation>,
}

impl Epilogue<'_> {
    /// Finishes the sums of a row for the outputs from `first` on.
    #[inline(always)]
    pub(crate) fn finish(&self, sums: &mut [f32; LANES], scale: f32, first: usize) {
        for sum in sums.iter_mut() {
            *sum *= scale;
        }
        if let Some(bias) = self.bias {
            for (sum, bias) in sums.iter_mut().zip(&bias[first..]) {
                *sum += bias;
            }
        }
        self.activate(sums);
    }

    /// The last part of that.
    #[inline(always)]
    pub(crate) fn activate(&self, sums: &mut [f32; LANES]) {
        match self.activation {
            Some(Activation::Gelu) => {
                for lane in 0..LANES {
                    sums[lane] = gelu(sums[lane]);
                }
            }
            Some(Activation::QuickGelu) => {
                for lane in 0..LANES {
                    sums[lane] = quick_gelu(sums[lane]);
                }
            }
            Some(Activation::Relu) => {
                for lane in 0..LANES {
                    sums[lane] = sums[lane].max(0.0);
                }
            }
            None => {}
        }
    }
}

/// `x Φ(x)`, with the distribution function of the normal distribution.
#[inline(always)]
pub(crate) fn gelu(x: f32) -> f32 {
    let value = 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2));
    // Where the sum is of rounding errors alone.
    if x < -5.6 { 0.0 } else { value }
}

/// `x σ(1.702 x)`.
#[inline(always)]
pub(crate) fn quick_gelu(x: f32) -> f32 {
    x / (1.0 + exp(-1.702 * x))
}

/// The error function, within 3e-7: a rational function of the argument, which is all that a vector
/// of numbers can be given to without a branch. The coefficients are those of Eigen's `erf`.
#[inline(always)]
fn erf(x: f32) -> f32 {
    // Beyond 4 it is 1 as far as an f32 can tell.
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let odd = -2.726_142_3e-10f32;
    let odd = odd * square + 2.770_681_4e-8;
    let odd = odd * square - 2.101_024e-6;
    let odd = odd * square - 5.692_506_4e-5;
    let odd = odd * square - 7.349_906_3e-4;
    let odd = odd * square - 2.954_6e-3;
    let odd = odd * square - 1.609_603_3e-2;
    let even = -1.456_607_2e-5f32;
    let even = even * square - 2.133_740_5e-4;
    let even = even * square - 1.682_827e-3;
    let even = even * square - 7.373_329_2e-3;
    let even = even * square - 1.426_473_9e-2;
    x * odd / even
}

/// The exponential function, within 2e-7 of the result between -87 and 88: `2^n` by its bits, and a polynomial for the rest, with the coefficients of the Cephes library.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // At 89 the power of two is infinite.
    let x = x.clamp(-87.0, 89.0);
    // Behind so large a number there is no room for a fraction: the sum is rounded.
    const LARGE: f32 = (3 << 22) as f32;
    let whole = x * std::f32::consts::LOG2_E + LARGE;
    let n = whole - LARGE;
    // The logarithm of 2 in two parts, of which the first has few bits, so that `n` times it is exact.
    let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let polynomial = 1.987_569_1e-4f32;
    let polynomial = polynomial * r + 1.398_199_9e-3;
    let polynomial = polynomial * r + 8.333_452e-3;
    let polynomial = polynomial * r + 4.166_579_6e-2;
    let polynomial = polynomial * r + 0.166_666_65;
    let polynomial = polynomial * r + 0.5;
    let value = polynomial * r * r + r + 1.0;
    // The low bits of that sum are the whole number.
    let power = f32::from_bits(
        whole
            .to_bits()
            .wrapping_sub(LARGE.to_bits())
            .wrapping_add(127)
            << 23,
    );
    value * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_are_those_of_exact_arithmetic() {
        // The error function as a series, in double precision.
        fn exact_erf(x: f64) -> f64 {
            if x.abs() > 5.0 {
                return x.signum();
            }
            let (mut term, mut sum) = (x, x);
            for n in 1..200 {
                let n = f64::from(n);
                term *= -x * x / n;
                sum += term / (2.0 * n + 1.0);
            }
            sum * 2.0 / std::f64::consts::PI.sqrt()
        }
        for step in -120_000..120_000 {
            let x = step as f32 * 1e-4;
            let exact = f64::from(x);
            let error = f64::from(gelu(x)) - 0.5 * exact * (1.0 + exact_erf(exact / 2f64.sqrt()));
            assert!(
                error.abs() < 5e-7 * exact.abs().max(1.0),
                "gelu({x}) is {error:e} off"
            );
            let error = f64::from(quick_gelu(x)) - exact / (1.0 + (-1.702 * exact).exp());
            assert!(
                error.abs() < 5e-7 * exact.abs().max(1.0),
                "quick_gelu({x}) is {error:e} off"
            );
        }
    }

    #[test]
    fn activations_of_extreme_values_are_their_limits() {
        for function in [gelu, quick_gelu] {
            assert!((function(1e30) / 1e30 - 1.0).abs() < 1e-6);
            assert!(function(-1e30).abs() < 1e-5);
            assert_eq!(function(0.0), 0.0);
            assert!(function(f32::NAN).is_nan());
        }
    }
}
