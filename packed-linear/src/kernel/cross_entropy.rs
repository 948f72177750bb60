//! The cross-entropy of a row of scores, and its gradient.

use super::functions::exp;
use super::softmax::largest;
use super::vector::{Vector, blocks};

/// The logarithm of the sum of the exponentials of scores, and the sum of the scores.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
pub(super) unsafe fn log_sum<V: Vector>(scores: &[f32]) -> [f32; 2] {
    let vectors_end = scores.len() / V::WIDTH * V::WIDTH;
    let (vectors, rest) = scores.split_at(vectors_end);
    // SAFETY: as the caller promises; whole vectors.
    unsafe {
        let largest = largest::<V>(vectors, rest);
        let shift = V::splat(-largest);
        let mut totals = [V::splat(0.0); 2];
        for block in blocks(vectors_end / V::WIDTH) {
            let mut sums = [V::splat(0.0); 2];
            for vector in block {
                let score = V::load(vectors.as_ptr().add(vector * V::WIDTH));
                sums[0] = sums[0].add(exp(score.add(shift)));
                sums[1] = sums[1].add(score);
            }
            for index in 0..2 {
                totals[index] = totals[index].add(sums[index]);
            }
        }
        let [mut exponentials, mut sum] = totals.map(|total| total.sum());
        for score in rest {
            exponentials += (score - largest).exp();
            sum += score;
        }
        [largest + exponentials.ln(), sum]
    }
}

/// Writes `factor · exp(score - log_sum) + summand` for each score.
///
/// # Safety
/// The processor has the instructions of the vector. There is room for as many results as scores.
#[inline(always)]
pub(super) unsafe fn probabilities<V: Vector>(
    scores: &[f32],
    [log_sum, factor, summand]: [f32; 3],
    result: *mut f32,
) {
    let vectors_end = scores.len() / V::WIDTH * V::WIDTH;
    // SAFETY: as the caller promises; vectors end within the row.
    unsafe {
        let [shift, factors, summands] = [-log_sum, factor, summand].map(|x| V::splat(x));
        let mut at = 0;
        while at < vectors_end {
            let score = V::load(scores.as_ptr().add(at));
            let probability = exp(score.add(shift));
            probability
                .multiply_add(factors, summands)
                .store(result.add(at));
            at += V::WIDTH;
        }
        for at in vectors_end..scores.len() {
            let probability = (scores[at] - log_sum).exp();
            result.add(at).write(probability * factor + summand);
        }
    }
}
