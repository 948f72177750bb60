//! Activations and the exponential function of vectors, without branches.

use super::vector::{ROUNDING, Vector};
use crate::activation::GELU_TANH;

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

/// `x σ(1.702 x)`, where `σ` is the logistic function.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
pub(super) unsafe fn quick_gelu<V: Vector>(x: V) -> V {
    // SAFETY: as the caller promises.
    unsafe {
        let exp = exp(x.multiply(V::splat(-1.702)));
        x.divide(exp.add(V::splat(1.0)))
    }
}

/// `x σ(x)`.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
pub(super) unsafe fn silu<V: Vector>(x: V) -> V {
    // SAFETY: as the caller promises.
    unsafe {
        let exp = exp(x.multiply(V::splat(-1.0)));
        x.divide(exp.add(V::splat(1.0)))
    }
}

/// `x σ(a x + b x³)`, the approximation of GELU with `tanh`.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
pub(super) unsafe fn gelu_tanh<V: Vector>(x: V) -> V {
    let [a, b] = GELU_TANH;
    // SAFETY: as the caller promises.
    unsafe {
        let slope = x.multiply(x).multiply_add(V::splat(-b), V::splat(-a));
        let exp = exp(x.multiply(slope));
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

/// The derivative of [`quick_gelu`], `σ(1.702 x) (1 + 1.702 x (1 - σ(1.702 x)))`.
///
/// # Safety
/// The processor has the instructions of the vector.
#[cfg(feature = "autodiff")]
#[inline(always)]
pub(super) unsafe fn quick_gelu_gradient<V: Vector>(x: V) -> V {
    // SAFETY: as the caller promises.
    unsafe { sigmoid_linear_gradient(x, -1.702) }
}

/// The derivative of [`silu`], `σ(x) (1 + x (1 - σ(x)))`.
///
/// # Safety
/// The processor has the instructions of the vector.
#[cfg(feature = "autodiff")]
#[inline(always)]
pub(super) unsafe fn silu_gradient<V: Vector>(x: V) -> V {
    // SAFETY: as the caller promises.
    unsafe { sigmoid_linear_gradient(x, -1.0) }
}

/// The derivative of [`gelu_tanh`], `σ(u) (1 + (a x + 3 b x³) (1 - σ(u)))` with `u = a x + b x³`.
///
/// # Safety
/// The processor has the instructions of the vector.
#[cfg(feature = "autodiff")]
#[inline(always)]
pub(super) unsafe fn gelu_tanh_gradient<V: Vector>(x: V) -> V {
    let [a, b] = GELU_TANH;
    // SAFETY: as the caller promises.
    unsafe {
        // Beyond 10 the derivative is 0 or 1.
        let x = x.at_least(-10.0).at_most(10.0);
        let square = x.multiply(x);
        let exp = exp(x.multiply(square.multiply_add(V::splat(-b), V::splat(-a))));
        let sigmoid = V::splat(1.0).divide(exp.add(V::splat(1.0)));
        // 1 - σ is σ times the exponential.
        let slope = x
            .multiply(square.multiply_add(V::splat(3.0 * b), V::splat(a)))
            .multiply(sigmoid)
            .multiply(exp);
        sigmoid.multiply_add(slope, sigmoid)
    }
}

/// The derivative of `x σ(-negative x)`.
///
/// # Safety
/// The processor has the instructions of the vector.
#[cfg(feature = "autodiff")]
#[inline(always)]
unsafe fn sigmoid_linear_gradient<V: Vector>(x: V, negative: f32) -> V {
    // SAFETY: as the caller promises.
    unsafe {
        // Beyond 40 the derivative is 0 or 1.
        let scaled = x.at_least(-40.0).at_most(40.0).multiply(V::splat(negative));
        let exp = exp(scaled);
        let sigmoid = V::splat(1.0).divide(exp.add(V::splat(1.0)));
        // 1 - σ is σ times the exponential.
        let slope = scaled
            .multiply(sigmoid)
            .multiply(exp)
            .multiply(V::splat(-1.0));
        sigmoid.multiply_add(slope, sigmoid)
    }
}

/// The exponential function, within 1e-7 of the result between -87 and 88. It is no smaller than `exp(-87)` below, and no
/// larger than `exp(88)` above.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
pub(super) unsafe fn exp<V: Vector>(x: V) -> V {
    // SAFETY: as the caller promises. From 88.4 on the power of two is infinite, and infinities of both signs are added.
    unsafe { exp_of_moderate(x.at_least(-87.0).at_most(88.0)) }
}

/// The exponential function for arguments from -87 to 88: a power of two from its bits, times a polynomial
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

    #[test]
    fn exponentials_are_those_of_exact_arithmetic() {
        for step in -86_999..88_000 {
            let x = step as f32 * 1e-3;
            let exact = f64::from(x).exp();
            let error = (f64::from(of(exp, x)) - exact) / exact;
            assert!(error.abs() < 2e-7, "exp({x}) is {error:e} off");
        }
    }

    fn of(function: unsafe fn(Eight) -> Eight, x: f32) -> f32 {
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
            let error = f64::from(of(quick_gelu, x)) - exact / (1.0 + (-1.702 * exact).exp());
            assert!(
                error.abs() < 5e-7 * exact.abs().max(1.0),
                "quick_gelu({x}) is {error:e} off"
            );
            let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
            let inner = (8.0 / std::f64::consts::PI).sqrt() * (exact + 0.044715 * exact.powi(3));
            for (name, found, expected) in [
                ("silu", of(silu, x), exact * sigmoid(exact)),
                ("gelu_tanh", of(gelu_tanh, x), exact * sigmoid(inner)),
            ] {
                let error = f64::from(found) - expected;
                assert!(
                    error.abs() < 5e-7 * exact.abs().max(1.0),
                    "{name}({x}) is {error:e} off"
                );
            }
            #[cfg(feature = "autodiff")]
            {
                let slope = |inner: f64, derivative: f64| {
                    sigmoid(inner) * (1.0 + exact * derivative * (1.0 - sigmoid(inner)))
                };
                let of_tanh =
                    (8.0 / std::f64::consts::PI).sqrt() * (1.0 + 0.134145 * exact * exact);
                for (name, found, expected) in [
                    ("silu'", of(silu_gradient, x), slope(exact, 1.0)),
                    (
                        "gelu_tanh'",
                        of(gelu_tanh_gradient, x),
                        slope(inner, of_tanh),
                    ),
                ] {
                    let error = f64::from(found) - expected;
                    assert!(error.abs() < 1e-6, "{name}({x}) is {error:e} off");
                }
                let tail = exact_tail(exact.abs());
                let below = if exact > 0.0 { 1.0 - tail } else { tail };
                let density = (-exact * exact / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
                let error = f64::from(of(gelu_gradient, x)) - (below + exact * density);
                assert!(error.abs() < 5e-7, "gelu'({x}) is {error:e} off");
                let sigmoid = 1.0 / (1.0 + (-1.702 * exact).exp());
                let gradient = sigmoid * (1.0 + 1.702 * exact * (1.0 - sigmoid));
                let error = f64::from(of(quick_gelu_gradient, x)) - gradient;
                assert!(error.abs() < 5e-7, "quick_gelu'({x}) is {error:e} off");
            }
        }
    }

    #[test]
    fn activations_of_extreme_values_are_their_limits() {
        for function in [
            gelu as unsafe fn(Eight) -> Eight,
            gelu_tanh,
            quick_gelu,
            silu,
        ] {
            let function = |x| of(function, x);
            assert!((function(1e30) / 1e30 - 1.0).abs() < 1e-6);
            assert!(function(-1e30).abs() < 1e-5);
            assert_eq!(function(0.0), 0.0);
            assert!(function(f32::NAN).is_nan());
            for step in 0..12_000 {
                let x = -12.0 - step as f32 * 1e-2;
                assert!(function(x).abs() < 1e-4, "{x}: {}", function(x));
            }
        }
    }
}
