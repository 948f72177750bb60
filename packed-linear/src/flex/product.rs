use burn::tensor::{Tensor, TensorData};

use super::{FlexTensor, floats, numbers, own, recycle, whole_numbers, words};
use crate::epilogue::Epilogue;
use crate::kernel::{Job, Kernel, Norm, Rows, multiply};
use crate::{Activation, Input, PackedShape, PackedWeight, spare};

/// A weight, what is added, and what is applied.
pub(crate) type Layer<'a> = (&'a PackedWeight, Option<Tensor<1>>, Option<Activation>);

/// A product by weights of one format, all of whose tensors are those of Flex.
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

/// A norm likewise.
struct FlexNorm {
    gamma: FlexTensor,
    beta: FlexTensor,
    epsilon: f32,
}

impl FlexLayer {
    /// # Panics
    /// If the layer has other inputs.
    fn new((weight, bias, activation): Layer<'_>, inputs: usize) -> Option<Self> {
        let shape = weight.shape();
        assert_eq!(inputs, shape.inputs(), "inputs of a linear layer");
        Some(Self {
            shape,
            words: whole_numbers(weight.words())?,
            bias: match bias {
                Some(bias) => Some(floats(bias)?),
                None => None,
            },
            activation,
        })
    }

    /// What multiplies rows and writes to the output, or adds to it.
    fn job<'a>(&'a self, is_added: bool, output: &'a mut Vec<f32>) -> Job<'a> {
        Job {
            shape: self.shape,
            words: words(&self.words),
            epilogue: Epilogue {
                bias: self.bias.as_ref().map(numbers),
                activation: self.activation,
                is_added,
            },
            output,
        }
    }
}

impl<const D: usize, const N: usize> Product<D, N> {
    /// # Panics
    /// If the last dimension is not the number of inputs of a layer.
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
                Some(norm) => Some(FlexNorm {
                    gamma: floats(norm.gamma.val())?,
                    beta: floats(norm.beta.val())?,
                    epsilon: norm.epsilon as f32,
                }),
            },
            layers: tensors.try_into().ok()?,
        })
    }

    fn kernel(&self) -> &'static Kernel {
        Kernel::best(self.layers[0].shape.format().precision())
    }

    fn rows(&self) -> Rows {
        let norm = self.norm.as_ref().map(|norm| Norm {
            gamma: numbers(&norm.gamma),
            beta: numbers(&norm.beta),
            epsilon: norm.epsilon,
        });
        let shape = self.layers[0].shape;
        let values = numbers(&self.x);
        Rows::new(shape, values, norm, self.kernel())
    }

    /// Multiplies `x`, which the product was made for, with a kernel, and adds the results to what is
    /// given, in its memory if nobody else has it.
    ///
    /// # Panics
    /// If what is given has not the shape of the result.
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
        let mut outputs = std::array::from_fn::<_, N, _>(|place| match residuals[place].take() {
            Some(residual) => own(residual, all_dims[place]),
            None => spare::take(rows.rows * all_dims[place][D - 1]),
        });
        let layers = self.layers.iter().zip(are_added);
        let mut jobs: Vec<Job<'_>> = layers
            .zip(&mut outputs)
            .map(|((layer, is_added), output)| layer.job(is_added, output))
            .collect();
        multiply(kernel, &rows, &mut jobs);
        drop(jobs);
        std::array::from_fn(|place| {
            let output = std::mem::take(&mut outputs[place]);
            Tensor::from_data(TensorData::new(output, all_dims[place]), &device)
        })
    }
}
