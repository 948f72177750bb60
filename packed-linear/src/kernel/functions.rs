//! Functions of vectors of numbers, as polynomials and without branches.

use super::rows::Norm;
use super::vector::{LARGE, Vector};

/// `x Φ(x)`, with the distribution function of the normal distribution.
///
/// # Safety
/// The processor has the vector's instructions, here and below.
#[inline(always)]
pub(super) unsafe fn gelu<V: Vector>(x: V) -> V {
    // SAFETY: as the caller promises, here and below.
    unsafe {
        let half = x.multiply(V::splat(0.5));
        let erf = erf(x.multiply(V::splat(std::f32::consts::FRAC_1_SQRT_2)));
        let value = half.multiply_add(erf, half);
        // Below, the sum is of rounding errors alone.
        value.zero_where_below(x, -5.6)
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

/// The error function, within 3e-7: a rational function of the argument. The coefficients are those of
/// Eigen's `erf`.
#[inline(always)]
unsafe fn erf<V: Vector>(x: V) -> V {
    const ODD: [f32; 7] = [
        -2.726_142_3e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_4e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const EVEN: [f32; 5] = [
        -1.456_607_2e-5,
        -2.133_740_5e-4,
        -1.682_827e-3,
        -7.373_329_2e-3,
        -1.426_473_9e-2,
    ];
    // SAFETY: likewise.
    unsafe {
        // Beyond 4 it is 1 as far as an f32 can tell.
        let x = x.clamp(-4.0, 4.0);
        let square = x.multiply(x);
        x.multiply(polynomial(square, &ODD))
            .divide(polynomial(square, &EVEN))
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

/// Scores of each row become weights, which sum to 1. Behind the first `length` there are numbers up to
/// whole vectors, which mean nothing.
///
/// # Safety
/// Likewise.
#[inline(always)]
pub(super) unsafe fn softmax<V: Vector, const ROWS: usize>(
    rows: [&mut [f32]; ROWS],
    length: usize,
) {
    let whole = length / V::NUMBERS * V::NUMBERS;
    for row in 0..ROWS {
        let scores = &mut *rows[row];
        assert!(scores.len() >= length && scores.len().is_multiple_of(V::NUMBERS));
        // SAFETY: as the caller promises; the scores are whole vectors.
        unsafe {
            let largest = largest::<V>(&scores[..whole], &scores[whole..length]);
            let below = V::splat(-largest);
            let mut place = 0;
            while place < scores.len() {
                let vector = scores.as_mut_ptr().add(place);
                exp(V::load(vector).add(below)).store(vector);
                place += V::NUMBERS;
            }
        }
    }
    // One number after the other, but of all rows at once, as each addition waits for the one before.
    let mut totals = [0.0; ROWS];
    for place in 0..length {
        for row in 0..ROWS {
            totals[row] += rows[row][place];
        }
    }
    for row in 0..ROWS {
        let scores = &mut *rows[row];
        // SAFETY: likewise.
        unsafe {
            let share = V::splat(1.0 / totals[row]);
            let mut place = 0;
            while place < scores.len() {
                let vector = scores.as_mut_ptr().add(place);
                V::load(vector).multiply(share).store(vector);
                place += V::NUMBERS;
            }
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
    let whole = length / V::NUMBERS * V::NUMBERS;
    // SAFETY: places below the length of all.
    unsafe {
        let mut sums = V::splat(0.0);
        let mut place = 0;
        while place < whole {
            sums = V::load(row.as_ptr().add(place)).add(sums);
            place += V::NUMBERS;
        }
        let mut sum = sums.sum();
        for place in whole..length {
            sum += row[place];
        }
        let mean = sum / length as f32;
        let below = V::splat(-mean);
        let mut sums = V::splat(0.0);
        let mut place = 0;
        while place < whole {
            let apart = V::load(row.as_ptr().add(place)).add(below);
            sums = apart.multiply_add(apart, sums);
            place += V::NUMBERS;
        }
        let mut sum = sums.sum();
        for place in whole..length {
            let apart = row[place] - mean;
            sum += apart * apart;
        }
        let factor = 1.0 / (sum / length as f32 + norm.epsilon).sqrt();
        let factors = V::splat(factor);
        let mut place = 0;
        while place < whole {
            let apart = V::load(row.as_ptr().add(place)).add(below);
            let gamma = V::load(norm.gamma.as_ptr().add(place));
            let beta = V::load(norm.beta.as_ptr().add(place));
            let number = apart.multiply(factors.multiply(gamma)).add(beta);
            number.store(normed.as_mut_ptr().add(place));
            place += V::NUMBERS;
        }
        for place in whole..length {
            let number = (row[place] - mean) * (factor * norm.gamma[place]);
            normed[place] = number + norm.beta[place];
        }
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
