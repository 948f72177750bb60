use burn::backend::TensorMetadata;
use burn::tensor::Tensor;

use super::{Gradient, contiguous, flex, into_contiguous, record, tracked};
use crate::Format;
use crate::flex::memory::{FlexTensor, recycle_flex, values};
use crate::kernel::{self, Norm};

/// Normalises the last dimension.
///
/// # Shapes
/// - x, output: `[.., width]`
/// - gamma, beta: `[width]`
pub(crate) fn layer_norm<const D: usize>(
    x: &Tensor<D>,
    gamma: &Tensor<1>,
    beta: &Tensor<1>,
    epsilon: f64,
) -> Option<Tensor<D>> {
    let (x, gamma, beta) = (tracked(x)?, tracked(gamma)?, tracked(beta)?);
    let inputs = vec![x.node(), gamma.node(), beta.node()];
    let gradient = NormGradient {
        x: contiguous(x.primitive()),
        gamma: contiguous(gamma.primitive()),
        beta: contiguous(beta.primitive()),
        epsilon: epsilon as f32,
    };
    let shape = gradient.x.shape();
    let kernel = kernel::best(Format::F32);
    let normed = kernel::normalise(kernel, gradient.norm(), values(&gradient.x), shape[D - 1]);
    Some(record(inputs, flex(normed, shape), gradient))
}

#[derive(Clone, Debug)]
struct NormGradient {
    x: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    epsilon: f32,
}

impl NormGradient {
    fn norm(&self) -> Norm<'_> {
        Norm {
            gamma: values(&self.gamma),
            beta: values(&self.beta),
            epsilon: self.epsilon,
        }
    }
}

impl Gradient for NormGradient {
    fn backward(self, gradient: FlexTensor, _: &[bool]) -> Vec<Option<FlexTensor>> {
        let gradient = into_contiguous(gradient);
        let width = values(&self.gamma).len();
        let [x, gamma, beta] = kernel::norm_gradient(
            kernel::best(Format::F32),
            self.norm(),
            values(&self.x),
            values(&gradient),
            width,
        );
        let shape = self.x.shape();
        recycle_flex(gradient);
        recycle_flex(self.x);
        vec![
            Some(flex(x, shape)),
            Some(flex(gamma, [width])),
            Some(flex(beta, [width])),
        ]
    }
}
