//! Activations and the exponential function of vectors, without branches.

use super::vector::{ROUNDING, Vector};

/// `Φ(-t)` is `exp(-t² / 2)` times the quotient of these; see [`gelu`].
const TAIL_NUMERATOR: [f32; 4] = [1.576_580_5e-2, 0.114_126_36, 0.352_633_54, 0.499_999_64];
const TAIL_DENOMINATOR: [f32; 5] = [3.952_651_5e-2, 0.285_794_88, 0.927_685_14, 1.503_135_8, 1.0];

/// `x Φ(x)`, where `Φ` is the distribution function of the normal distribution, within 1e-7 of
/// `max(|x|, 1)`.
///
/// It is computed as `max(x, 0) - t Φ(-t)` with `t = |x|`, which loses nothing to cancellation where the
/// result is small. `Φ(-t)` is `exp(-t² / 2)` times a rational function, fitted for `t` up to 13 so that
/// `t Φ(-t)` is within 2e-8. All its coefficients are positive, so evaluating it cancels nothing either.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
pub(super) unsafe fn gelu<V: Vector>(x: V) -> V {
    // SAFETY: as the caller promises.
    unsafe {
        // Beyond 13 the tail is smaller than any normal f32.
        let t = x.abs().at_most(13.0);
        let exponential = exp_of_moderate(t.multiply(t).multiply(V::splat(-0.5)));
        let tail = exponential
            .multiply(t)
            .multiply(polynomial(t, &TAIL_NUMERATOR))
            .divide(polynomial(t, &TAIL_DENOMINATOR));
        tail.multiply_add(V::splat(-1.0), x.at_least(0.0))
    }
}

/// The slope with which [`swish`] approximates GELU, as CLIP does.
pub(super) const QUICK_GELU: f32 = 1.702;

/// `x σ(slope x)`, where `σ` is the logistic function: SiLU for a slope of 1.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
pub(super) unsafe fn swish<V: Vector>(x: V, slope: f32) -> V {
    // SAFETY: as the caller promises.
    unsafe {
        let exp = exp(x.multiply(V::splat(-slope)));
        x.divide(exp.add(V::splat(1.0)))
    }
}

/// The derivative of [`gelu`], `Φ(x) + x φ(x)`, within 5e-7.
///
/// # Safety
/// The processor has the instructions of the vector.
#[cfg(feature = "autodiff")]
#[inline(always)]
pub(super) unsafe fn gelu_gradient<V: Vector>(x: V) -> V {
    /// `1 / √(2π)`
    const DENSITY_AT_0: f32 = 0.398_942_3;
    // SAFETY: as the caller promises.
    unsafe {
        let t = x.abs().at_most(13.0);
        let exponential = exp_of_moderate(t.multiply(t).multiply(V::splat(-0.5)));
        let tail = exponential
            .multiply(polynomial(t, &TAIL_NUMERATOR))
            .divide(polynomial(t, &TAIL_DENOMINATOR));
        // 1, -1, or 0 for 0.
        let sign = x.multiply(V::splat(f32::MAX)).at_least(-1.0).at_most(1.0);
        let half = tail.multiply_add(V::splat(-1.0), V::splat(0.5));
        let slope = exponential.multiply(t).multiply(V::splat(DENSITY_AT_0));
        half.add(slope).multiply_add(sign, V::splat(0.5))
    }
}

/// The derivative of [`swish`], `σ(slope x) (1 + slope x (1 - σ(slope x)))`.
///
/// # Safety
/// The processor has the instructions of the vector.
#[cfg(feature = "autodiff")]
#[inline(always)]
pub(super) unsafe fn swish_gradient<V: Vector>(x: V, slope: f32) -> V {
    // SAFETY: as the caller promises.
    unsafe {
        // Beyond 40 the derivative is 0 or 1.
        let scaled = x.at_least(-40.0).at_most(40.0).multiply(V::splat(-slope));
        let exp = exp(scaled);
        let sigmoid = V::splat(1.0).divide(exp.add(V::splat(1.0)));
        // 1 - σ is σ times the exponential.
        let product = scaled
            .multiply(sigmoid)
            .multiply(exp)
            .multiply(V::splat(-1.0));
        sigmoid.multiply_add(product, sigmoid)
    }
}

/// The exponential function, within 1e-7 of the result between -87 and 88. It is infinite above, and no
/// smaller than `exp(-87)` below.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
pub(super) unsafe fn exp<V: Vector>(x: V) -> V {
    // SAFETY: as the caller promises. At 89 the power of two is infinite.
    unsafe { exp_of_moderate(x.at_least(-87.0).at_most(89.0)) }
}

/// The exponential function for arguments from -87 to 89: a power of two from its bits, times a polynomial
/// that is fitted for the least relative error, 4e-9.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
unsafe fn exp_of_moderate<V: Vector>(x: V) -> V {
    const COEFFICIENTS: [f32; 5] = [
        1.381_422_2e-3,
        8.368_899e-3,
        4.166_840_4e-2,
        0.166_665_2,
        0.499_999_94,
    ];
    // SAFETY: as the caller promises.
    unsafe {
        let rounded = x.multiply_add(V::splat(std::f32::consts::LOG2_E), V::splat(ROUNDING));
        let n = rounded.add(V::splat(-ROUNDING));
        // The logarithm of 2 in two parts. The first has few bits, so that its product with `n` is exact.
        let r = n.multiply_add(V::splat(-0.693_359_4), x);
        let r = n.multiply_add(V::splat(2.121_944_4e-4), r);
        let rest = polynomial(r, &COEFFICIENTS).multiply(r).multiply_add(r, r);
        let power = rounded.power_of_two();
        rest.multiply_add(power, power)
    }
}

/// A polynomial, the coefficient of the highest power first.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
unsafe fn polynomial<V: Vector, const N: usize>(x: V, coefficients: &[f32; N]) -> V {
    // SAFETY: as the caller promises.
    unsafe {
        let mut value = V::splat(coefficients[0]);
        for power in 1..N {
            value = value.multiply_add(x, V::splat(coefficients[power]));
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Eight = [f32; 8];
    type Function = unsafe fn(Eight) -> Eight;

    /// SiLU and QuickGELU, with their slopes.
    // SAFETY: arrays need no special instructions, here and below.
    const SWISHES: [(Function, f64); 2] = [
        (|x| unsafe { swish(x, 1.0) }, 1.0),
        (|x| unsafe { swish(x, QUICK_GELU) }, 1.702),
    ];
    #[cfg(feature = "autodiff")]
    const SWISH_GRADIENTS: [(Function, f64); 2] = [
        (|x| unsafe { swish_gradient(x, 1.0) }, 1.0),
        (|x| unsafe { swish_gradient(x, QUICK_GELU) }, 1.702),
    ];

    #[test]
    fn exponentials_are_those_of_exact_arithmetic() {
        for step in -86_999..88_000 {
            let x = step as f32 * 1e-3;
            let exact = f64::from(x).exp();
            let error = (f64::from(of(exp, x)) - exact) / exact;
            assert!(error.abs() < 2e-7, "exp({x}) is {error:e} off");
        }
    }

    fn of(function: Function, x: f32) -> f32 {
        // SAFETY: arrays need no special instructions.
        let [value, ..] = unsafe { function([x; 8]) };
        value
    }

    #[test]
    fn activations_are_those_of_exact_arithmetic() {
        // `Φ(-t)` as a continued fraction, or near 0, where that converges slowly, as a series.
        fn exact_tail(t: f64) -> f64 {
            let x = t / 2f64.sqrt();
            if x > 2.0 {
                let fraction = (1..200)
                    .rev()
                    .fold(x, |rest, n| x + 0.5 * f64::from(n) / rest);
                return 0.5 * (-x * x).exp() / std::f64::consts::PI.sqrt() / fraction;
            }
            let (mut term, mut sum) = (x, x);
            for n in 1..100 {
                let n = f64::from(n);
                term *= -x * x / n;
                sum += term / (2.0 * n + 1.0);
            }
            0.5 - sum / std::f64::consts::PI.sqrt()
        }
        for step in -120_000..120_000 {
            let x = step as f32 * 1e-4;
            let exact = f64::from(x);
            let error =
                f64::from(of(gelu, x)) - (exact.max(0.0) - exact.abs() * exact_tail(exact.abs()));
            assert!(
                error.abs() < 1.2e-7 * exact.abs().max(1.0),
                "gelu({x}) is {error:e} off"
            );
            for (function, slope) in SWISHES {
                let error = f64::from(of(function, x)) - exact / (1.0 + (-slope * exact).exp());
                assert!(
                    error.abs() < 5e-7 * exact.abs().max(1.0),
                    "swish({x}, {slope}) is {error:e} off"
                );
            }
            #[cfg(feature = "autodiff")]
            {
                let tail = exact_tail(exact.abs());
                let below = if exact > 0.0 { 1.0 - tail } else { tail };
                let density = (-exact * exact / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
                let error = f64::from(of(gelu_gradient, x)) - (below + exact * density);
                assert!(error.abs() < 5e-7, "gelu'({x}) is {error:e} off");
                for (function, slope) in SWISH_GRADIENTS {
                    let sigmoid = 1.0 / (1.0 + (-slope * exact).exp());
                    let gradient = sigmoid * (1.0 + slope * exact * (1.0 - sigmoid));
                    let error = f64::from(of(function, x)) - gradient;
                    assert!(error.abs() < 5e-7, "swish'({x}, {slope}) is {error:e} off");
                }
            }
        }
    }

    #[test]
    fn activations_of_extreme_values_are_their_limits() {
        let swishes = SWISHES.map(|(function, _)| function);
        for function in [&[gelu as Function][..], &swishes].concat() {
            let function = |x| of(function, x);
            assert!((function(1e30) / 1e30 - 1.0).abs() < 1e-6);
            assert!(function(-1e30).abs() < 1e-5);
            assert_eq!(function(0.0), 0.0);
            assert!(function(f32::NAN).is_nan());
        }
    }
}
