//! Element-wise arithmetic on all threads, in the memory of Burn's CPU backend. Its own operations run on one
//! thread and write a new tensor each. Results don't depend on the number of threads.

use burn::backend::{BackendTypes, Flex, TensorMetadata};
use burn::tensor::{DType, Device, Tensor};
use rayon::prelude::*;

/// Elements that a thread takes at a time. Sums are those of such parts, added up in their order.
const PART: usize = 1 << 14;

/// A vector of `f32` in the memory of the CPU.
pub(crate) struct HostVector(<Flex as BackendTypes>::FloatTensorPrimitive);

impl HostVector {
    /// Whether [`new`](Self::new) takes the tensor.
    pub(crate) fn is_host(tensor: &Tensor<1>) -> bool {
        tensor.device() == Device::flex() && tensor.dtype() == DType::F32
    }

    /// # Panics
    /// If the tensor is elsewhere, or of another type; see [`is_host`](Self::is_host).
    pub(crate) fn new(tensor: Tensor<1>) -> Self {
        let Ok(vector) = tensor.try_into_primitive::<Flex>() else {
            panic!("a tensor of another device than Burn's Flex");
        };
        Self(match vector.as_slice::<f32>() {
            Some(_) => vector,
            None => vector.to_contiguous(),
        })
    }

    pub(crate) fn into_tensor(self) -> Tensor<1> {
        Tensor::from_primitive::<Flex>(self.0)
    }

    /// Hands over the memory to the next operation that needs as much.
    pub(crate) fn recycle(self) {
        if self.0.is_unique()
            && let Ok(values) = self.0.into_data().try_into_vec::<f32>()
        {
            packed_linear::recycle(values);
        }
    }

    fn values(&self) -> &[f32] {
        self.0.as_slice().unwrap_or_default()
    }

    /// The elements, copied first if they are shared.
    fn values_mut(&mut self) -> &mut [f32] {
        let (start, count) = (
            self.0.layout().start_offset(),
            self.0.shape().num_elements(),
        );
        &mut self.0.storage_mut::<f32>()[start..start + count]
    }

    /// The sum of the squares.
    pub(crate) fn squares(&self) -> f32 {
        let of_part = |part: &[f32]| {
            let mut sums = [0.0f64; 8];
            let (chunks, rest) = part.as_chunks::<8>();
            for chunk in chunks {
                for (sum, value) in sums.iter_mut().zip(chunk) {
                    *sum += f64::from(*value) * f64::from(*value);
                }
            }
            let rest = rest.iter().map(|value| f64::from(*value).powi(2));
            sums.iter().sum::<f64>() + rest.sum::<f64>()
        };
        let parts: Vec<f64> = self.values().par_chunks(PART).map(of_part).collect();
        parts.iter().sum::<f64>() as f32
    }

    /// Multiplies by a factor.
    pub(crate) fn scale(&mut self, factor: f32) {
        let parts = self.values_mut().par_chunks_mut(PART);
        parts.for_each(|part| part.iter_mut().for_each(|value| *value *= factor));
    }

    /// Adds another vector of the same length.
    pub(crate) fn add(&mut self, other: &Self) {
        let parts = self.values_mut().par_chunks_mut(PART);
        let other = other.values().par_chunks(PART);
        parts.zip(other).for_each(|(part, other)| {
            for (value, other) in part.iter_mut().zip(other) {
                *value += other;
            }
        });
    }

    /// `factor · self + other_factor · other`, of the same length.
    pub(crate) fn mix(&mut self, factor: f32, other: &Self, other_factor: f32) {
        let parts = self.values_mut().par_chunks_mut(PART);
        let other = other.values().par_chunks(PART);
        parts.zip(other).for_each(|(part, other)| {
            for (value, other) in part.iter_mut().zip(other) {
                *value = *value * factor + other * other_factor;
            }
        });
    }
}

/// The numbers of a step of AdamW, as [`burn::optim::AdamW`] uses them.
#[derive(Clone, Copy)]
pub(crate) struct StepNumbers {
    /// Decay of the means of gradients and of squares.
    pub(crate) beta: [f32; 2],
    pub(crate) epsilon: f32,
    pub(crate) weight_decay: f32,
    pub(crate) learning_rate: f64,
    /// The number of this step, from 1.
    pub(crate) time: usize,
}

/// A step of AdamW in the memory of the weights and of the means: the same operations in the same order as those of
/// [`burn::optim::AdamW`], and so the same numbers.
pub(crate) fn adamw(
    numbers: StepNumbers,
    weights: &mut HostVector,
    gradient: &HostVector,
    [mean, squares]: [&mut HostVector; 2],
) {
    let StepNumbers {
        beta,
        epsilon,
        weight_decay,
        learning_rate,
        time,
    } = numbers;
    let corrections = beta.map(|beta| 1.0 - beta.powi(time as i32));
    let rest = beta.map(|beta| 1.0 - beta);
    let decay = (1.0 - learning_rate * f64::from(weight_decay)) as f32;
    let rate = learning_rate as f32;
    let parts = weights
        .values_mut()
        .par_chunks_mut(PART)
        .zip(gradient.values().par_chunks(PART))
        .zip(mean.values_mut().par_chunks_mut(PART))
        .zip(squares.values_mut().par_chunks_mut(PART));
    parts.for_each(|(((weights, gradient), mean), squares)| {
        let means = mean.iter_mut().zip(squares);
        for ((weight, gradient), (mean, square)) in weights.iter_mut().zip(gradient).zip(means) {
            *mean = *mean * beta[0] + gradient * rest[0];
            *square = *square * beta[1] + gradient * gradient * rest[1];
            let step = *mean / corrections[0] / ((*square / corrections[1]).sqrt() + epsilon);
            *weight = *weight * decay - step * rate;
        }
    });
}
