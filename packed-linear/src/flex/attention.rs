use burn::backend::Flex;
use burn::tensor::{DType, Tensor, TensorData};

use super::{FlexTensor, floats, numbers};
use crate::kernel::{Attention, Kernel, MOST_HEAD_WIDTH, Vectors, attend};
use crate::{Attended, KeysValues, Precision};

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
