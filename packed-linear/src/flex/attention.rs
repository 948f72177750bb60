use burn::tensor::{Tensor, TensorData};

use super::memory::{self, FlexTensor, floats, strided_floats};
use crate::kernel::{self, Attention, Bias, Vectors};
use crate::{Attended, AttentionBias, Format, KeysValues};

/// Attends with a kernel, with a bias if there is one. `None` if a tensor is not in the memory of Flex, or if the
/// vectors of keys or values are not contiguous.
pub(crate) fn attention(
    query: &Tensor<2>,
    batch: usize,
    keys_values: KeysValues<'_>,
    bias: Option<AttentionBias<'_>>,
    with_weights: bool,
) -> Option<Attended> {
    let [_, heads, _, head_width] = keys_values.keys.dims();
    let keys = strided_floats(keys_values.keys.clone())?;
    let values = strided_floats(keys_values.values.clone())?;
    let flat = floats(query.clone())?;
    let bias = match bias {
        Some(bias) => Some((floats(bias.kinds.clone())?, bias.of_items)),
        None => None,
    };
    let attention = Attention {
        query: memory::values(&flat),
        batch,
        heads,
        head_width,
        length: keys_values.length,
        keys: vectors(&keys)?,
        values: vectors(&values)?,
        slots: keys_values.slots,
        bias: bias.as_ref().map(|(kinds, of_items)| Bias {
            values: memory::values(kinds),
            of_items,
        }),
    };
    let [rows, _] = query.dims();
    let dims = [batch, heads, rows / batch, keys_values.length];
    let mut weights = with_weights.then(|| vec![0.0; dims.iter().product()]);
    let kernel = kernel::best(Format::F32);
    let context = kernel::attend(kernel, attention, weights.as_deref_mut());
    let device = query.device();
    Some(Attended {
        context: Tensor::from_data(TensorData::new(context, query.dims()), &device),
        weights: weights.map(|weights| Tensor::from_data(TensorData::new(weights, dims), &device)),
    })
}

/// The vectors of keys or values. `None` if those are not contiguous.
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
            values: tensor.storage(),
            start: layout.start_offset(),
            strides: [slots, heads, positions],
        }),
        _ => None,
    }
}
