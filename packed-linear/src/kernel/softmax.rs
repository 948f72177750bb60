use super::functions::exp;
use super::vector::Vector;

/// Replaces the first `length` scores by their softmax. The slice is padded to whole vectors; what is in
/// the padding afterwards means nothing.
///
/// # Safety
/// The processor has the instructions of the vector.
///
/// # Panics
/// If there are fewer than `length` scores, or not whole vectors of them.
#[inline(always)]
pub(super) unsafe fn softmax<V: Vector>(scores: &mut [f32], length: usize) {
    assert!(scores.len() >= length && scores.len().is_multiple_of(V::WIDTH));
    let vectors_end = length / V::WIDTH * V::WIDTH;
    // SAFETY: as the caller promises; the scores are whole vectors.
    unsafe {
        let largest = largest::<V>(&scores[..vectors_end], &scores[vectors_end..length]);
        let shift = V::splat(-largest);
        let mut totals = V::splat(0.0);
        let mut at = 0;
        while at < scores.len() {
            let score = scores.as_mut_ptr().add(at);
            let weight = exp(V::load(score).add(shift));
            weight.store(score);
            if at < vectors_end {
                totals = totals.add(weight);
            }
            at += V::WIDTH;
        }
        let rest: f32 = scores[vectors_end..length].iter().sum();
        let total = V::splat(totals.sum() + rest);
        let mut at = 0;
        while at < scores.len() {
            let weight = scores.as_mut_ptr().add(at);
            V::load(weight).divide(total).store(weight);
            at += V::WIDTH;
        }
    }
}

/// The largest of some values: whole vectors and the rest. NaN may be passed over.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
pub(super) unsafe fn largest<V: Vector>(vectors: &[f32], rest: &[f32]) -> f32 {
    // SAFETY: as the caller promises.
    let mut largest = unsafe {
        let mut vector = V::splat(f32::NEG_INFINITY);
        let mut at = 0;
        while at < vectors.len() {
            vector = V::load(vectors.as_ptr().add(at)).max(vector);
            at += V::WIDTH;
        }
        vector.largest()
    };
    for at in 0..rest.len() {
        largest = if rest[at] > largest {
            rest[at]
        } else {
            largest
        };
    }
    largest
}
