use super::vector::Vector;

/// The parameters of a [`LayerNorm`](crate::LayerNorm).
#[derive(Clone, Copy)]
pub(crate) struct Norm<'a> {
    /// `[inputs]`
    pub(crate) gamma: &'a [f32],
    /// `[inputs]`
    pub(crate) beta: &'a [f32],
    pub(crate) epsilon: f32,
}

impl Norm<'_> {
    /// # Panics
    /// If the norm doesn't have this width.
    pub(super) fn check(&self, width: usize) {
        let widths = [self.gamma.len(), self.beta.len()];
        assert_eq!(widths, [width; 2], "width of a norm");
    }
}

/// Normalises a row.
///
/// # Safety
/// The processor has the instructions of the vector. `gamma` and `beta` are as long as the row, and there is
/// room for as many elements at `normed`.
#[inline(always)]
pub(super) unsafe fn layer_norm<V: Vector>(norm: &Norm<'_>, row: &[f32], normed: *mut f32) {
    let length = row.len();
    // SAFETY: as the caller promises; indices below the length of all.
    unsafe {
        let [sum, _] = moments::<V>(row, 0.0);
        let mean = sum / length as f32;
        // The mean is rounded, by more than the result can bear if it is large. The mean of the deviations
        // is what it lacks.
        let [sum, squares] = moments::<V>(row, mean).map(f64::from);
        let lacking = sum / length as f64;
        let variance = squares / length as f64 - lacking * lacking;
        let scale = (1.0 / (variance + f64::from(norm.epsilon)).sqrt()) as f32;
        let lacking = lacking as f32;
        let [mean_vector, lacking_vector] = [-mean, -lacking].map(|x| V::splat(x));
        let scale_vector = V::splat(scale);
        let vectors_end = length / V::WIDTH * V::WIDTH;
        let mut at = 0;
        while at < vectors_end {
            let deviation = V::load(row.as_ptr().add(at)).add(mean_vector);
            let gamma = V::load(norm.gamma.as_ptr().add(at));
            let beta = V::load(norm.beta.as_ptr().add(at));
            let value = deviation
                .add(lacking_vector)
                .multiply(scale_vector)
                .multiply_add(gamma, beta);
            value.store(normed.add(at));
            at += V::WIDTH;
        }
        for at in vectors_end..length {
            let value = (row[at] - mean - lacking) * scale;
            normed.add(at).write(value * norm.gamma[at] + norm.beta[at]);
        }
    }
}

/// The sums of the deviations from `center` and of their squares. Two vectors of each are accumulated, as
/// the rounding error of a sum grows with the number of additions in sequence.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
pub(super) unsafe fn moments<V: Vector>(row: &[f32], center: f32) -> [f32; 2] {
    // SAFETY: as the caller promises; indices below the length.
    unsafe {
        let shift = V::splat(-center);
        let mut sums = [V::splat(0.0); 2];
        let mut squares = [V::splat(0.0); 2];
        let mut at = 0;
        while at + 2 * V::WIDTH <= row.len() {
            for part in 0..2 {
                let values = V::load(row.as_ptr().add(at + part * V::WIDTH));
                let deviation = values.add(shift);
                sums[part] = sums[part].add(deviation);
                squares[part] = deviation.multiply_add(deviation, squares[part]);
            }
            at += 2 * V::WIDTH;
        }
        let mut moments = [sums[0].add(sums[1]).sum(), squares[0].add(squares[1]).sum()];
        for at in at..row.len() {
            let deviation = row[at] - center;
            moments[0] += deviation;
            moments[1] += deviation * deviation;
        }
        moments
    }
}
