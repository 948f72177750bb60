use burn::tensor::{Tensor, TensorData};

use super::memory::{FlexTensor, floats, values};
use crate::Format;
use crate::kernel::{self, Norm};

/// The parameters of a [`LayerNorm`](crate::LayerNorm), in the memory of Flex.
pub(crate) struct FlexNorm {
    gamma: FlexTensor,
    beta: FlexTensor,
    epsilon: f32,
}

impl FlexNorm {
    /// `None` if a tensor is not in the memory of Flex.
    pub(crate) fn new(gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64) -> Option<Self> {
        Some(Self {
            gamma: floats(gamma)?,
            beta: floats(beta)?,
            epsilon: epsilon as f32,
        })
    }

    /// The parameters as kernels read them.
    pub(crate) fn parameters(&self) -> Norm<'_> {
        Norm {
            gamma: values(&self.gamma),
            beta: values(&self.beta),
            epsilon: self.epsilon,
        }
    }

    /// Normalises the last dimension. `None` if the tensor is not in the memory of Flex.
    ///
    /// # Panics
    /// If the last dimension of `x` is not the width of the norm.
    pub(crate) fn forward<const D: usize>(&self, x: &Tensor<D>) -> Option<Tensor<D>> {
        let flat = floats(x.clone())?;
        let kernel = kernel::best(Format::F32);
        let width = x.dims()[D - 1];
        let normed = kernel::normalise(kernel, self.parameters(), values(&flat), width);
        Some(Tensor::from_data(
            TensorData::new(normed, x.dims()),
            &x.device(),
        ))
    }
}
