//! Where tensors of Burn's backend Flex meet the kernels: their memory is the program's.

use burn::backend::{BackendTypes, Flex};
use burn::tensor::{DType, Int, Tensor, TensorData};

use crate::epilogue::Epilogue;
use crate::kernel::{
    Attention, Job, Kernel, MOST_HEAD_WIDTH, Vectors, attend, multiply as multiply_rows,
};
use crate::rows::Rows;
use crate::spare;
use crate::{Activation, Attended, KeysValues, PackedWeight, Precision};

type FlexTensor = <Flex as BackendTypes>::FloatTensorPrimitive;

/// A tensor of `f32` whose numbers stand in order, or nothing if it is none of Flex or takes part in
/// automatic differentiation.
pub(crate) fn floats<const D: usize>(tensor: Tensor<D>) -> Option<FlexTensor> {
    let tensor = tensor.try_into_primitive::<Flex>().ok()?;
    let tensor = match tensor.as_slice::<f32>() {
        Some(_) => tensor,
        None => tensor.to_contiguous(),
    };
    tensor.as_slice::<f32>().is_some().then_some(tensor)
}

/// A tensor of `u32`, likewise.
pub(crate) fn whole_numbers<const D: usize>(tensor: Tensor<D, Int>) -> Option<FlexTensor> {
    let tensor = tensor.try_into_primitive::<Flex>().ok()?;
    tensor.as_slice::<u32>().is_some().then_some(tensor)
}

pub(crate) fn words(tensor: &FlexTensor) -> &[u32] {
    tensor.as_slice().unwrap_or_default()
}

fn numbers(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().unwrap_or_default()
}

/// A weight, what is added, and what is applied.
pub(crate) type Layer<'a> = (&'a PackedWeight, Option<Tensor<1>>, Option<Activation>);

/// Multiplies by weights of one format with a kernel, if the tensors are those of Flex.
pub(crate) fn multiply<const D: usize, const N: usize>(
    layers: [Layer<'_>; N],
    x: &Tensor<D>,
) -> Option<[Tensor<D>; N]> {
    let shape = layers.first()?.0.shape();
    let alike = |layer: &Layer<'_>| {
        let other = layer.0.shape();
        (other.format, other.inputs) == (shape.format, shape.inputs)
    };
    if !layers.iter().all(alike) {
        return None;
    }
    let device = x.device();
    let flat = floats(x.clone())?;
    let mut tensors = Vec::with_capacity(N);
    for (weight, bias, activation) in &layers {
        let words = whole_numbers(weight.words())?;
        let bias = match bias {
            Some(bias) => Some(floats(bias.clone())?),
            None => None,
        };
        tensors.push((weight.shape(), words, bias, *activation));
    }
    let kernel = Kernel::best(shape.format().precision());
    let rows = Rows::new(shape, numbers(&flat), kernel);
    let mut outputs = layers
        .each_ref()
        .map(|(weight, ..)| spare::take(rows.rows * weight.shape().outputs()));
    let mut jobs: Vec<Job<'_>> = tensors
        .iter()
        .zip(&mut outputs)
        .map(|((shape, packed, bias, activation), output)| Job {
            shape: *shape,
            words: words(packed),
            epilogue: Epilogue {
                bias: bias.as_ref().map(numbers),
                activation: *activation,
            },
            output,
        })
        .collect();
    multiply_rows(kernel, &rows, &mut jobs);
    drop(jobs);
    let mut layers = layers.iter();
    Some(outputs.map(|output| {
        let mut dims = x.dims();
        dims[D - 1] = layers.next().map_or(0, |layer| layer.0.shape().outputs());
        Tensor::from_data(TensorData::new(output, dims), &device)
    }))
}

/// Attends with a kernel, if the tensors are those of Flex.
pub(crate) fn attention(
    query: &Tensor<2>,
    batch: usize,
    keys_values: KeysValues<'_>,
    with_weights: bool,
) -> Option<Attended> {
    let [_, heads, _, head_width] = keys_values.keys.dims();
    let keys = anywhere(keys_values.keys)?;
    let values = anywhere(keys_values.values)?;
    let flat = floats(query.clone())?;
    if head_width > MOST_HEAD_WIDTH {
        return None;
    }
    let attention = Attention {
        query: numbers(&flat),
        batch,
        heads,
        head_width,
        length: keys_values.length,
        keys: vectors(&keys)?,
        values: vectors(&values)?,
        slots: keys_values.slots,
    };
    let [rows, _] = query.dims();
    let dims = [batch, heads, rows / batch, keys_values.length];
    let mut weights = with_weights.then(|| vec![0.0; dims.iter().product()]);
    let context = attend(
        Kernel::best(Precision::F32),
        attention,
        weights.as_deref_mut(),
    );
    let device = query.device();
    Some(Attended {
        context: Tensor::from_data(TensorData::new(context, query.dims()), &device),
        weights: weights.map(|weights| Tensor::from_data(TensorData::new(weights, dims), &device)),
    })
}

/// A tensor of `f32` in any order.
fn anywhere<const D: usize>(tensor: &Tensor<D>) -> Option<FlexTensor> {
    let tensor = tensor.clone().try_into_primitive::<Flex>().ok()?;
    (tensor.dtype() == DType::F32).then_some(tensor)
}

/// Where the vectors of keys or values stand, if their numbers stand side by side.
fn vectors(tensor: &FlexTensor) -> Option<Vectors<'_>> {
    let layout = tensor.layout();
    let strides: Vec<usize> = layout
        .strides()
        .iter()
        .map(|stride| usize::try_from(*stride))
        .collect::<Result<_, _>>()
        .ok()?;
    match strides[..] {
        [slots, heads, positions, 1] => Some(Vectors {
            numbers: tensor.storage(),
            start: layout.start_offset(),
            strides: [slots, heads, positions],
        }),
        _ => None,
    }
}
