use burn::backend::TensorMetadata;
use burn::tensor::Tensor;

use super::{Gradient, contiguous, flex, into_contiguous, record, tracked};
use crate::flex::memory::{FlexTensor, recycle_flex, values};
use crate::kernel::{self, Factor, Matrix};
use crate::{Activation, Format};

/// A weight and a bias.
pub(crate) struct Layer {
    /// `[inputs, outputs]`, or `[outputs, inputs]` if it is transposed.
    pub(crate) weight: Tensor<2>,
    pub(crate) is_transposed: bool,
    /// `[outputs]`
    pub(crate) bias: Option<Tensor<1>>,
}

/// The outputs of linear layers next to each other, with an activation or a residual.
///
/// # Shapes
/// - x: `[.., inputs]`
/// - residual, output: `[.., outputs of all layers]`
pub(crate) fn linear<const D: usize>(
    layers: &[Layer],
    x: &Tensor<D>,
    activation: Option<Activation>,
    residual: Option<&Tensor<D>>,
) -> Option<Tensor<D>> {
    let x = tracked(x)?;
    let mut inputs = vec![x.node()];
    let x = contiguous(x.primitive());
    let mut shape = x.shape();
    let width = shape[D - 1];
    let rows = x.shape().num_elements() / width.max(1);

    let residual = match residual {
        Some(residual) => {
            let residual = tracked(residual)?;
            inputs.push(residual.node());
            Some(contiguous(residual.primitive()))
        }
        None => None,
    };
    let (mut weights, mut biases) = (Vec::new(), Vec::new());
    for layer in layers {
        let weight = tracked(&layer.weight)?;
        inputs.push(weight.node());
        let weight = Weight {
            values: contiguous(weight.primitive()),
            is_transposed: layer.is_transposed,
            has_bias: layer.bias.is_some(),
        };
        assert_eq!(weight.matrix_size()[0], width, "inputs of a linear layer");
        weights.push(weight);
    }
    for layer in layers {
        biases.push(match &layer.bias {
            Some(bias) => {
                let bias = tracked(bias)?;
                inputs.push(bias.node());
                Some(contiguous(bias.primitive()))
            }
            None => None,
        });
    }
    let outputs: usize = weights.iter().map(Weight::outputs).sum();
    shape[D - 1] = outputs;
    if let Some(residual) = &residual {
        assert_eq!(residual.shape(), shape, "residual of a linear layer");
    }

    let factors: Vec<Factor<'_>> = weights
        .iter()
        .zip(&biases)
        .map(|(weight, bias)| Factor {
            matrix: weight.matrix(),
            bias: bias.as_ref().map(values),
        })
        .collect();
    let products = kernel::multiply_joined(
        kernel::best(Format::F32),
        Matrix::new(values(&x), [rows, width]),
        &factors,
        residual.as_ref().map(values),
        activation,
    );
    let before = flex(products.values, shape.clone());
    let (output, activated) = match (activation, products.activated) {
        (Some(activation), Some(after)) => (flex(after, shape), Some((activation, before))),
        _ => (before, None),
    };
    let gradient = LinearGradient {
        x,
        weights,
        activated,
        has_residual: residual.is_some(),
    };
    Some(record(inputs, output, gradient))
}

#[derive(Clone, Debug)]
struct Weight {
    values: FlexTensor,
    is_transposed: bool,
    has_bias: bool,
}

impl Weight {
    /// `[inputs, outputs]`
    fn matrix_size(&self) -> [usize; 2] {
        let shape = self.values.shape();
        match self.is_transposed {
            false => [shape[0], shape[1]],
            true => [shape[1], shape[0]],
        }
    }

    fn outputs(&self) -> usize {
        self.matrix_size()[1]
    }

    /// `[inputs, outputs]`
    fn matrix(&self) -> Matrix<'_> {
        let shape = self.values.shape();
        let matrix = Matrix::new(values(&self.values), [shape[0], shape[1]]);
        match self.is_transposed {
            false => matrix,
            true => matrix.transposed(),
        }
    }
}

#[derive(Clone, Debug)]
struct LinearGradient {
    x: FlexTensor,
    weights: Vec<Weight>,
    /// The activation, and what it was applied to.
    activated: Option<(Activation, FlexTensor)>,
    has_residual: bool,
}

impl Gradient for LinearGradient {
    fn backward(self, gradient: FlexTensor, wanted: &[bool]) -> Vec<Option<FlexTensor>> {
        let kernel = kernel::best(Format::F32);
        let shape = self.x.shape();
        let width = shape[shape.num_dims() - 1];
        let rows = shape.num_elements() / width.max(1);
        let outputs: usize = self.weights.iter().map(Weight::outputs).sum();
        let mut wanted = wanted.iter().copied();
        let mut is_wanted = || wanted.next().unwrap_or(false);

        let x_is_wanted = is_wanted();
        let mut gradients = vec![None];
        if self.has_residual {
            gradients.push(is_wanted().then(|| gradient.clone()));
        }
        let weights_wanted: Vec<bool> = self.weights.iter().map(|_| is_wanted()).collect();
        let biases_wanted: Vec<bool> = self
            .weights
            .iter()
            .map(|weight| weight.has_bias && is_wanted())
            .collect();

        let mut gradient = into_contiguous(gradient);
        let mut sums = Vec::new();
        if self.activated.is_some() || biases_wanted.contains(&true) {
            let activated = self
                .activated
                .as_ref()
                .map(|(activation, before)| (*activation, values(before)));
            let (result, sums_of_rows) =
                kernel::activation_gradient(kernel, activated, values(&gradient), outputs);
            sums = sums_of_rows;
            if let Some(result) = result {
                recycle_flex(std::mem::replace(
                    &mut gradient,
                    flex(result, [rows, outputs]),
                ));
            }
        }
        if let Some((_, before)) = self.activated {
            recycle_flex(before);
        }

        let all = Matrix::new(values(&gradient), [rows, outputs]);
        let x = Matrix::new(values(&self.x), [rows, width]);
        let mut first = 0;
        let ranges: Vec<_> = self
            .weights
            .iter()
            .map(|weight| {
                let start = first;
                first += weight.outputs();
                start..first
            })
            .collect();
        let is_joined = |index: usize| weights_wanted[index] && !self.weights[index].is_transposed;
        let joined: Vec<Matrix<'_>> = (0..ranges.len())
            .filter(|index| is_joined(*index))
            .map(|index| all.columns(ranges[index].clone()))
            .collect();
        let mut joined = kernel::multiply_each(kernel, x.transposed(), &joined).into_iter();
        for (index, weight) in self.weights.iter().enumerate() {
            let values = match weight.is_transposed {
                _ if !weights_wanted[index] => None,
                false => joined.next(),
                true => {
                    let columns = all.columns(ranges[index].clone()).transposed();
                    kernel::multiply_each(kernel, columns, &[x]).pop()
                }
            };
            gradients.push(values.map(|values| flex(values, weight.values.shape())));
        }
        for (index, range) in ranges.iter().enumerate() {
            if self.weights[index].has_bias {
                let values = || flex(sums[range.clone()].to_vec(), [range.len()]);
                gradients.push(biases_wanted[index].then(values));
            }
        }
        if x_is_wanted {
            let stack: Vec<Matrix<'_>> = self
                .weights
                .iter()
                .map(|weight| weight.matrix().transposed())
                .collect();
            let values = kernel::multiply_stacked(kernel, all, &stack);
            gradients[0] = Some(flex(values, shape));
        }
        recycle_flex(gradient);
        recycle_flex(self.x);
        gradients
    }
}
