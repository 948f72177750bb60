use burn::tensor::{Tensor, TensorData};

use super::memory::{FlexTensor, floats, integers, into_residual, recycle, values, words};
use super::norm::FlexNorm;
use crate::epilogue::Epilogue;
use crate::kernel::{self, Job, Kernel, Rows};
use crate::{Activation, Input, PackedShape, PackedWeight, spare};

/// A weight, a bias and an activation.
pub(crate) type Layer<'a> = (&'a PackedWeight, Option<Tensor<1>>, Option<Activation>);

/// The product of an input and weights of one format, all in the memory of Flex.
pub(crate) struct Product<const D: usize, const N: usize> {
    x: FlexTensor,
    norm: Option<FlexNorm>,
    layers: [FlexLayer; N],
}

/// A [`Layer`] as kernels read it.
struct FlexLayer {
    shape: PackedShape,
    words: FlexTensor,
    bias: Option<FlexTensor>,
    activation: Option<Activation>,
}

impl FlexLayer {
    /// `None` if a tensor is not in the memory of Flex.
    ///
    /// # Panics
    /// If the layer doesn't have `inputs` inputs.
    fn new((weight, bias, activation): Layer<'_>, inputs: usize) -> Option<Self> {
        let shape = weight.shape();
        assert_eq!(inputs, shape.inputs(), "inputs of a linear layer");
        Some(Self {
            shape,
            words: integers(weight.words())?,
            bias: match bias {
                Some(bias) => Some(floats(bias)?),
                None => None,
            },
            activation,
        })
    }

    /// The job to multiply rows and to write the result to the output, or add it.
    fn job<'a>(&'a self, is_added: bool, output: &'a mut Vec<f32>) -> Job<'a> {
        Job {
            shape: self.shape,
            words: words(&self.words),
            epilogue: Epilogue {
                bias: self.bias.as_ref().map(values),
                activation: self.activation,
                is_added,
            },
            output,
        }
    }
}

impl<const D: usize, const N: usize> Product<D, N> {
    /// `None` if a tensor is not in the memory of Flex, or if the layers have different formats.
    ///
    /// # Panics
    /// If the last dimension of `x` is not the number of inputs of every layer.
    pub(crate) fn new(layers: [Layer<'_>; N], x: &Input<'_, D>) -> Option<Self> {
        let mut tensors: Vec<FlexLayer> = Vec::with_capacity(N);
        for layer in layers {
            tensors.push(FlexLayer::new(layer, x.x.dims()[D - 1])?);
        }
        let format = tensors.first()?.shape.format;
        if tensors.iter().any(|layer| layer.shape.format != format) {
            return None;
        }
        Some(Self {
            x: floats(x.x.clone())?,
            norm: match x.norm {
                None => None,
                Some(norm) => {
                    let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
                    Some(FlexNorm::new(gamma, beta, norm.epsilon)?)
                }
            },
            layers: tensors.try_into().ok()?,
        })
    }

    fn kernel(&self) -> &'static Kernel {
        kernel::best(self.layers[0].shape.format())
    }

    fn rows(&self) -> Rows {
        let norm = self.norm.as_ref().map(FlexNorm::parameters);
        let shape = self.layers[0].shape;
        Rows::new(shape, values(&self.x), norm, self.kernel())
    }

    /// Computes the products and adds the residuals, to their memory if that is not shared. `x` is the input
    /// that [`new`](Self::new) was called with; its memory is reused if it is not shared.
    ///
    /// # Panics
    /// If a residual doesn't have the shape of its result, or is on another device or of another type.
    pub(crate) fn compute(
        self,
        x: Input<'_, D>,
        mut residuals: [Option<Tensor<D>>; N],
    ) -> [Tensor<D>; N] {
        let (kernel, rows) = (self.kernel(), self.rows());
        drop(self.x);
        let (dims, device) = (x.x.dims(), x.x.device());
        recycle(x.x);
        let all_dims = self.layers.each_ref().map(|layer| {
            let mut dims = dims;
            dims[D - 1] = layer.shape.outputs();
            dims
        });
        let are_added = residuals.each_ref().map(Option::is_some);
        let mut outputs = std::array::from_fn::<_, N, _>(|layer| match residuals[layer].take() {
            Some(residual) => into_residual(residual, all_dims[layer]),
            None => spare::take(rows.count() * all_dims[layer][D - 1]),
        });
        let layers = self.layers.iter().zip(are_added);
        let mut jobs: Vec<Job<'_>> = layers
            .zip(&mut outputs)
            .map(|((layer, is_added), output)| layer.job(is_added, output))
            .collect();
        kernel::multiply(kernel, &rows, &mut jobs);
        drop(jobs);
        std::array::from_fn(|layer| {
            let output = std::mem::take(&mut outputs[layer]);
            Tensor::from_data(TensorData::new(output, all_dims[layer]), &device)
        })
    }
}
