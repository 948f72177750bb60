//! The exponential function, written so that the compiler vectorises it.
//!
//! With a vocabulary of 250,054 tokens, four rows take a million exponentials a step. The standard
//! library's function is a call for each of them; with the vectors that every x86-64 has, this one
//! takes a quarter of the time.

use super::BLOCK;

/// Sums that are accumulated side by side.
const LANES: usize = 8;

/// Below this, e^x is not a normal number in 32 bits and counts as 0.
const SMALLEST: f32 = -87.3;

/// Adding this to a small number leaves the nearest integer in the lowest bits.
const ROUNDING: f32 = 12_582_912.0; // 1.5 · 2^23

/// ln 2 in two parts. The first has so few bits that its small multiples are exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// Coefficients of (e^r - 1 - r) / r², highest power first, for |r| up to ln 2 / 2. Source: Cephes,
/// `expf.c`.
#[allow(clippy::excessive_precision)]
const COEFFICIENTS: [f32; 6] = [
    1.987_569_15e-4,
    1.398_199_950_7e-3,
    8.333_451_907_3e-3,
    4.166_579_589_4e-2,
    1.666_666_545_9e-1,
    5.000_000_120_1e-1,
];

/// e^x for x up to 0, including minus infinity, within two units in the last place. NaN for NaN.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let bounded = if x < SMALLEST { SMALLEST } else { x };
    // x = n · ln 2 + r
    let shifted = bounded * std::f32::consts::LOG2_E + ROUNDING;
    let n = shifted - ROUNDING;
    let r = bounded - n * LN_2[0] - n * LN_2[1];
    let mut polynomial = 0.0;
    for coefficient in COEFFICIENTS {
        polynomial = polynomial * r + coefficient;
    }
    let exp_r = polynomial * r * r + r + 1.0;
    // 2^n, from its exponent bits.
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    if x < SMALLEST { 0.0 } else { exp_r * power }
}

/// The sum of e^(score - largest) over a block.
#[inline(always)]
pub(super) fn exp_sum(block: &[f32], largest: f32) -> f64 {
    // With a shortlist or after top_k, whole blocks are impossible.
    if block.iter().all(|score| *score == f32::NEG_INFINITY) {
        return 0.0;
    }
    // Two loops: the first is vectorised because it treats all values alike, the second because it
    // accumulates each lane separately. Both use indices, as iterators are not always inlined.
    let block = &block[..block.len().min(BLOCK)];
    let mut exponentials = [0.0; BLOCK];
    for position in 0..block.len() {
        exponentials[position] = exp(block[position] - largest);
    }
    let mut sums = [0.0_f32; LANES];
    for first in (0..BLOCK).step_by(LANES) {
        for lane in 0..LANES {
            sums[lane] += exponentials[first + lane];
        }
    }
    sums.iter().copied().map(f64::from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_standard_librarys_within_two_units() {
        let mut largest: f64 = 0.0;
        for step in 0..1_000_000 {
            let x = -87.0 * step as f32 / 1e6;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            largest = largest.max(error);
        }
        assert!(largest < 2.0 * f64::from(f32::EPSILON), "{largest}");
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-1e30), 0.0);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn blocks_of_any_length_are_summed() {
        for length in [0, 1, 7, 8, 9, 63, 64] {
            let block: Vec<f32> = (0..length).map(|i| -(i as f32) / 9.0).collect();
            let expected: f64 = block.iter().map(|x| f64::from(*x - 1.0).exp()).sum();
            assert!((exp_sum(&block, 1.0) - expected).abs() < 1e-5);
        }
    }
}
