//! Functions of vectors of numbers, as polynomials and without branches.

use super::rows::Norm;
use super::vector::{LARGE, Vector};

/// `x Φ(x)`, with the distribution function of the normal distribution, within 1e-7 of `max(|x|, 1)`:
/// `max(x, 0) - t Φ(-t)` with `t = |x|`, so that nothing cancels where the result is small. `Φ(-t)` is
/// `exp(-t² / 2)` times a rational function, fitted for the least relative error, 5e-9. Its coefficients
/// are positive, so that sums of them are exact to a rounding or two.
///
/// # Safety
/// The processor has the vector's instructions, here and below.
#[inline(always)]
pub(super) unsafe fn gelu<V: Vector>(x: V) -> V {
    const NUMERATOR: [f32; 5] = [
        3.994_331_8e-3,
        3.980_864_2e-2,
        0.180_783_59,
        0.434_975_65,
        0.5,
    ];
    const DENOMINATOR: [f32; 6] = [
        1.001_215_5e-2,
        9.979_312e-2,
        0.462_999_7,
        1.192_304,
        1.667_836_2,
        1.0,
    ];
    // SAFETY: as the caller promises, here and below.
    unsafe {
        // Beyond 13 the tail is below what an f32 can hold.
        let t = x.max(x.multiply(V::splat(-1.0))).clamp(0.0, 13.0);
        let density = exp(t.multiply(t).multiply(V::splat(-0.5)));
        let tail = density
            .multiply(t)
            .multiply(polynomial(t, &NUMERATOR))
            .divide(polynomial(t, &DENOMINATOR));
        tail.multiply_add(V::splat(-1.0), x.clamp(0.0, f32::INFINITY))
    }
}

/// `x σ(1.702 x)`.
///
/// # Safety
/// Likewise.
#[inline(always)]
pub(super) unsafe fn quick_gelu<V: Vector>(x: V) -> V {
    // SAFETY: likewise.
    unsafe {
        let exp = exp(x.multiply(V::splat(-1.702)));
        x.divide(exp.multiply_add(V::splat(1.0), V::splat(1.0)))
    }
}

/// The exponential function, within 2e-7 of the result between -87 and 88: `2^n` by its bits, and a
/// polynomial for the rest, with the coefficients of the Cephes library.
///
/// # Safety
/// Likewise.
#[inline(always)]
pub(super) unsafe fn exp<V: Vector>(x: V) -> V {
    const COEFFICIENTS: [f32; 6] = [
        1.987_569_1e-4,
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        0.166_666_65,
        0.5,
    ];
    // SAFETY: likewise.
    unsafe {
        // At 89 the power of two is infinite.
        let x = x.clamp(-87.0, 89.0);
        // Behind so large a number there is no room for a fraction: the sum is rounded.
        let whole = x.multiply_add(V::splat(std::f32::consts::LOG2_E), V::splat(LARGE));
        let n = whole.multiply_add(V::splat(1.0), V::splat(-LARGE));
        // The logarithm of 2 in two parts, of which the first has few bits, so that `n` times it is
        // exact.
        let r = n.multiply_add(V::splat(-0.693_359_4), x);
        let r = n.multiply_add(V::splat(2.121_944_4e-4), r);
        let rest = polynomial(r, &COEFFICIENTS).multiply(r).multiply_add(r, r);
        let power = whole.power_of_two();
        rest.multiply_add(power, power)
    }
}

/// A polynomial, the coefficient of the highest power first.
#[inline(always)]
unsafe fn polynomial<V: Vector, const N: usize>(x: V, coefficients: &[f32; N]) -> V {
    // SAFETY: likewise.
    unsafe {
        let mut value = V::splat(coefficients[0]);
        for place in 1..N {
            value = value.multiply_add(x, V::splat(coefficients[place]));
        }
        value
    }
}

/// Scores become weights, which sum to 1. Behind the first `length` there are numbers up to whole vectors,
/// which mean nothing.
///
/// # Safety
/// Likewise.
#[inline(always)]
pub(super) unsafe fn softmax<V: Vector>(scores: &mut [f32], length: usize) {
    let whole = length / V::NUMBERS * V::NUMBERS;
    assert!(scores.len() >= length && scores.len().is_multiple_of(V::NUMBERS));
    // SAFETY: as the caller promises; the scores are whole vectors.
    unsafe {
        let largest = largest::<V>(&scores[..whole], &scores[whole..length]);
        let below = V::splat(-largest);
        let mut totals = V::splat(0.0);
        let mut place = 0;
        while place < scores.len() {
            let vector = scores.as_mut_ptr().add(place);
            let weights = exp(V::load(vector).add(below));
            weights.store(vector);
            if place < whole {
                totals = weights.add(totals);
            }
            place += V::NUMBERS;
        }
        let mut total = totals.sum();
        for place in whole..length {
            total += scores[place];
        }
        let total = V::splat(total);
        let mut place = 0;
        while place < scores.len() {
            let vector = scores.as_mut_ptr().add(place);
            V::load(vector).divide(total).store(vector);
            place += V::NUMBERS;
        }
    }
}

/// The largest of some numbers, whole vectors and others.
///
/// # Safety
/// Likewise.
#[inline(always)]
unsafe fn largest<V: Vector>(whole: &[f32], rest: &[f32]) -> f32 {
    // SAFETY: likewise.
    let mut largest = unsafe {
        let mut vector = V::splat(f32::NEG_INFINITY);
        let mut place = 0;
        while place < whole.len() {
            vector = V::load(whole.as_ptr().add(place)).max(vector);
            place += V::NUMBERS;
        }
        vector.largest()
    };
    for place in 0..rest.len() {
        largest = if rest[place] > largest {
            rest[place]
        } else {
            largest
        };
    }
    largest
}

/// Normalises a row of numbers; see [`Norm`].
///
/// # Safety
/// The processor has the vector's instructions, and all rows are equally long.
#[inline(always)]
pub(super) unsafe fn layer_norm<V: Vector>(norm: &Norm<'_>, row: &[f32], normed: &mut [f32]) {
    let length = row.len();
    // SAFETY: as the caller promises; places below the length of all.
    unsafe {
        let mean = sum::<V>(row, |x| x, |x| x) / length as f32;
        let below = V::splat(-mean);
        let squares = sum::<V>(
            row,
            |x| {
                let apart = x.add(below);
                apart.multiply(apart)
            },
            |x| (x - mean) * (x - mean),
        );
        let variance = f64::from(squares) / length as f64 + f64::from(norm.epsilon);
        let factor = (1.0 / variance.sqrt()) as f32;
        let factors = V::splat(factor);
        let whole = length / V::NUMBERS * V::NUMBERS;
        let mut place = 0;
        while place < whole {
            let apart = V::load(row.as_ptr().add(place)).add(below);
            let gamma = V::load(norm.gamma.as_ptr().add(place));
            let beta = V::load(norm.beta.as_ptr().add(place));
            let number = apart.multiply(factors).multiply_add(gamma, beta);
            number.store(normed.as_mut_ptr().add(place));
            place += V::NUMBERS;
        }
        for place in whole..length {
            let number = (row[place] - mean) * factor;
            normed[place] = number * norm.gamma[place] + norm.beta[place];
        }
    }
}

/// Sums a function of the numbers of a row, which is given for vectors and for one number: in four vectors
/// of sums, since the error grows with the number of additions one after the other.
///
/// # Safety
/// The processor has the vector's instructions.
#[inline(always)]
unsafe fn sum<V: Vector>(row: &[f32], of_vector: impl Fn(V) -> V, of: impl Fn(f32) -> f32) -> f32 {
    // SAFETY: as the caller promises; places below the length.
    unsafe {
        let mut sums = [V::splat(0.0); 4];
        let mut place = 0;
        while place + 4 * V::NUMBERS <= row.len() {
            for part in 0..4 {
                let numbers = V::load(row.as_ptr().add(place + part * V::NUMBERS));
                sums[part] = of_vector(numbers).add(sums[part]);
            }
            place += 4 * V::NUMBERS;
        }
        while place + V::NUMBERS <= row.len() {
            sums[0] = of_vector(V::load(row.as_ptr().add(place))).add(sums[0]);
            place += V::NUMBERS;
        }
        let mut rest = 0.0;
        for place in place..row.len() {
            rest += of(row[place]);
        }
        let [a, b, c, d] = sums;
        a.add(b).add(c.add(d)).sum() + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Eight = [f32; 8];

    fn of(function: unsafe fn(Eight) -> Eight, x: f32) -> f32 {
        // SAFETY: these vectors need no instructions.
        let [value, ..] = unsafe { function([x; 8]) };
        value
    }

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
            let error =
                f64::from(of(gelu, x)) - 0.5 * exact * (1.0 + exact_erf(exact / 2f64.sqrt()));
            assert!(
                error.abs() < 5e-7 * exact.abs().max(1.0),
                "gelu({x}) is {error:e} off"
            );
            let error = f64::from(of(quick_gelu, x)) - exact / (1.0 + (-1.702 * exact).exp());
            assert!(
                error.abs() < 5e-7 * exact.abs().max(1.0),
                "quick_gelu({x}) is {error:e} off"
            );
        }
    }

    #[test]
    fn activations_of_extreme_values_are_their_limits() {
        for function in [gelu as unsafe fn(Eight) -> Eight, quick_gelu] {
            let function = |x| of(function, x);
            assert!((function(1e30) / 1e30 - 1.0).abs() < 1e-6);
            assert!(function(-1e30).abs() < 1e-5);
            assert_eq!(function(0.0), 0.0);
            assert!(function(f32::NAN).is_nan());
        }
    }
}
