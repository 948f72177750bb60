//! Gradients of what is done with rows: activations, sums and layer norms.

use super::functions::{QUICK_GELU, gelu_gradient, swish_gradient};
use super::norm::{Norm, moments};
use super::vector::{LINE_WORDS, Vector};
use crate::Activation;

/// Multiplies the gradient of activated rows by the derivative of the activation, and adds the rows of the
/// result to `sums`. Without an activation there is only the addition.
///
/// # Shapes
/// - values, gradient, result: `[rows, width]`, with `width` the length of `sums`
///
/// # Safety
/// The processor has the instructions of the vector. There are as many values and results as gradients.
#[inline(always)]
pub(super) unsafe fn activation<V: Vector>(
    activated: Option<(Activation, &[f32], *mut f32)>,
    gradient: &[f32],
    sums: &mut [f32],
) {
    let width = sums.len();
    let vectors_end = width / V::WIDTH * V::WIDTH;
    for start in (0..gradient.len()).step_by(width) {
        let mut at = 0;
        while at < vectors_end {
            // SAFETY: as the caller promises; a whole vector of the row.
            unsafe {
                let mut value = V::load(gradient.as_ptr().add(start + at));
                if let Some((activation, values, result)) = activated {
                    let input = V::load(values.as_ptr().add(start + at));
                    value = value.multiply(derivative(activation, input));
                    value.store(result.add(start + at));
                }
                let sum = sums.as_mut_ptr().add(at);
                V::load(sum).add(value).store(sum);
            }
            at += V::WIDTH;
        }
        for at in vectors_end..width {
            let mut value = gradient[start + at];
            if let Some((activation, values, result)) = activated {
                // SAFETY: as the caller promises.
                unsafe {
                    value *= first(derivative(activation, V::splat(values[start + at])));
                    result.add(start + at).write(value);
                }
            }
            sums[at] += value;
        }
    }
}

/// The derivative of an activation.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
unsafe fn derivative<V: Vector>(activation: Activation, x: V) -> V {
    // SAFETY: as the caller promises.
    unsafe {
        match activation {
            Activation::Gelu => gelu_gradient(x),
            Activation::QuickGelu => swish_gradient(x, QUICK_GELU),
            Activation::Relu => x.multiply(V::splat(f32::MAX)).at_least(0.0).at_most(1.0),
            Activation::Silu => swish_gradient(x, 1.0),
        }
    }
}

/// The first element.
///
/// # Safety
/// The processor has the instructions of the vector.
#[inline(always)]
unsafe fn first<V: Vector>(vector: V) -> f32 {
    let mut values = [0.0; LINE_WORDS];
    // SAFETY: as the caller promises; a vector is no wider than a cache line.
    unsafe { vector.store(values.as_mut_ptr()) };
    values[0]
}

/// The gradients of the rows that a norm is applied to, and of its parameters: what rows contribute to those is
/// added to `gamma` and `beta`.
///
/// # Shapes
/// - values, gradient, result: `[rows, width]`
/// - gamma, beta: `[width]`
///
/// # Safety
/// The processor has the instructions of the vector. There are as many values and results as gradients, and the
/// norm has the width of the sums.
#[inline(always)]
pub(super) unsafe fn layer_norm<V: Vector>(
    norm: &Norm<'_>,
    values: &[f32],
    gradient: &[f32],
    result: *mut f32,
    [gamma, beta]: [&mut [f32]; 2],
) {
    let width = gamma.len();
    let vectors_end = width / V::WIDTH * V::WIDTH;
    for start in (0..gradient.len()).step_by(width) {
        let row = &values[start..start + width];
        let gradient = &gradient[start..start + width];
        // SAFETY: as the caller promises; vectors end within the row.
        unsafe {
            let result = result.add(start);
            let [sum, _] = moments::<V>(row, 0.0);
            let mean = sum / width as f32;
            let [sum, squares] = moments::<V>(row, mean).map(f64::from);
            let lacking = sum / width as f64;
            let variance = squares / width as f64 - lacking * lacking;
            let scale = (1.0 / (variance + f64::from(norm.epsilon)).sqrt()) as f32;
            let shift = -mean - lacking as f32;
            let [shift_vector, scale_vector] = [shift, scale].map(|x| V::splat(x));
            // The sums of the gradients of normalised values, and of their products with these.
            let mut sums = [V::splat(0.0); 2];
            let mut at = 0;
            while at < vectors_end {
                let normed = V::load(row.as_ptr().add(at))
                    .add(shift_vector)
                    .multiply(scale_vector);
                let value = V::load(gradient.as_ptr().add(at));
                let (gamma, beta) = (gamma.as_mut_ptr().add(at), beta.as_mut_ptr().add(at));
                value.multiply_add(normed, V::load(gamma)).store(gamma);
                value.add(V::load(beta)).store(beta);
                let scaled = value.multiply(V::load(norm.gamma.as_ptr().add(at)));
                sums[0] = sums[0].add(scaled);
                sums[1] = scaled.multiply_add(normed, sums[1]);
                at += V::WIDTH;
            }
            let mut means = sums.map(|sum| sum.sum());
            for at in vectors_end..width {
                let normed = (row[at] + shift) * scale;
                gamma[at] += gradient[at] * normed;
                beta[at] += gradient[at];
                let scaled = gradient[at] * norm.gamma[at];
                means[0] += scaled;
                means[1] += scaled * normed;
            }
            let means = means.map(|sum| -sum / width as f32);
            let mean_vectors = means.map(|mean| V::splat(mean));
            let mut at = 0;
            while at < vectors_end {
                let normed = V::load(row.as_ptr().add(at))
                    .add(shift_vector)
                    .multiply(scale_vector);
                let scaled = V::load(gradient.as_ptr().add(at))
                    .multiply_add(V::load(norm.gamma.as_ptr().add(at)), mean_vectors[0]);
                let value = normed.multiply_add(mean_vectors[1], scaled);
                value.multiply(scale_vector).store(result.add(at));
                at += V::WIDTH;
            }
            for at in vectors_end..width {
                let normed = (row[at] + shift) * scale;
                let value = gradient[at] * norm.gamma[at] + means[0] + normed * means[1];
                result.add(at).write(value * scale);
            }
        }
    }
}
