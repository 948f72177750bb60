use std::sync::Arc;

use burn::backend::autodiff::ops::NodeGuard;
use burn::backend::{Autodiff, Flex, TensorMetadata};
use burn::tensor::{Bool, BoolStore, DType, Tensor};

use super::{Gradient, contiguous, flex, into_contiguous, record, tracked};
use crate::flex::memory::{FlexTensor, recycle_flex, values};
use crate::kernel::{self, Attending, Heads, Mask, Target};
use crate::{Columns, Format, spare};

/// Attention of queries to keys and values that are columns of tensors; see
/// [`attention_of_columns`](crate::attention_of_columns).
pub(crate) fn attention(
    [query, keys, values]: [Columns<'_>; 3],
    [batch, heads, head_width]: [usize; 3],
    mask: Option<&Tensor<4, Bool>>,
) -> Option<Tensor<2>> {
    // Each tensor once, and which of them the queries, keys and values are columns of. Columns that have a part in common
    // are of a tensor of their own, so that each gets its gradient; Burn adds them up.
    let mut tensors = Vec::new();
    let mut inputs: Vec<NodeGuard> = Vec::new();
    let mut places: Vec<(usize, usize)> = Vec::new();
    let width = heads * head_width;
    for columns in [query, keys, values] {
        let tensor = tracked(columns.tensor)?;
        let is_free = |index: usize| {
            let others = places.iter().filter(|place| place.0 == index);
            let mut first = others.map(|place| place.1);
            first.all(|first| first.abs_diff(columns.first) >= width)
        };
        let known =
            (0..inputs.len()).find(|index| inputs[*index].id() == tensor.id() && is_free(*index));
        let index = known.unwrap_or(inputs.len());
        if index == inputs.len() {
            inputs.push(tensor.node());
            tensors.push(contiguous(tensor.primitive()));
        }
        places.push((index, columns.first));
    }
    let mask = match mask {
        Some(mask) => Some(mask_of(mask)?),
        None => None,
    };
    let rows = |place: usize| tensors[places[place].0].shape()[0];
    let kept = Kept {
        queries: rows(0) / batch,
        length: rows(1) / batch,
        places: [places[0], places[1], places[2]],
        tensors,
        batch,
        heads,
        head_width,
        mask,
    };
    let kernel = kernel::best(Format::F32);
    let [context, weights] = kernel::attend_keeping(kernel, &kept.attending());
    let shape = [batch * kept.queries, heads * head_width];
    let gradient = AttentionGradient {
        kept,
        weights: Arc::new(weights),
    };
    Some(record(inputs, flex(context, shape), gradient))
}

#[derive(Clone, Debug)]
struct Kept {
    tensors: Vec<FlexTensor>,
    /// For queries, keys and values which tensor, and the first column.
    places: [(usize, usize); 3],
    batch: usize,
    heads: usize,
    head_width: usize,
    queries: usize,
    length: usize,
    mask: Option<KeptMask>,
}

#[derive(Clone, Debug)]
struct KeptMask {
    hidden: Arc<Vec<u8>>,
    items: usize,
    queries: usize,
}

/// The elements of a mask `[items, 1, queries, length]`.
fn mask_of(mask: &Tensor<4, Bool>) -> Option<KeptMask> {
    let [items, heads, queries, _] = mask.dims();
    let mask = mask.clone();
    let mask = mask.try_into_primitive::<Autodiff<Flex>>().ok()?;
    let is_bytes = matches!(mask.dtype(), DType::Bool(BoolStore::Native | BoolStore::U8));
    if heads != 1 || !is_bytes {
        return None;
    }
    let mask = mask.to_contiguous();
    let (start, count) = (mask.layout().start_offset(), mask.layout().num_elements());
    Some(KeptMask {
        hidden: Arc::new(mask.storage::<u8>()[start..start + count].to_vec()),
        items,
        queries,
    })
}

impl Kept {
    fn attending(&self) -> Attending<'_> {
        let heads = |place: usize| {
            let (tensor, first) = self.places[place];
            let tensor = &self.tensors[tensor];
            Heads {
                values: values(tensor),
                first,
                stride: tensor.shape()[1],
            }
        };
        Attending {
            query: heads(0),
            keys: heads(1),
            values: heads(2),
            batch: self.batch,
            heads: self.heads,
            head_width: self.head_width,
            queries: self.queries,
            length: self.length,
            mask: self.mask.as_ref().map(|mask| Mask {
                hidden: &mask.hidden,
                items: mask.items,
                queries: mask.queries,
            }),
        }
    }
}

#[derive(Clone, Debug)]
struct AttentionGradient {
    kept: Kept,
    weights: Arc<Vec<f32>>,
}

impl Gradient for AttentionGradient {
    fn backward(self, gradient: FlexTensor, _: &[bool]) -> Vec<Option<FlexTensor>> {
        let gradient = into_contiguous(gradient);
        let tensors = &self.kept.tensors;
        let targets = self.kept.places.map(|(buffer, first)| Target {
            buffer,
            first,
            stride: tensors[buffer].shape()[1],
        });
        let sizes: Vec<usize> = tensors
            .iter()
            .map(|tensor| tensor.shape().num_elements())
            .collect();
        let buffers = kernel::attention_gradient(
            kernel::best(Format::F32),
            &self.kept.attending(),
            &self.weights,
            values(&gradient),
            targets,
            &sizes,
        );
        recycle_flex(gradient);
        if let Ok(weights) = Arc::try_unwrap(self.weights) {
            spare::give(weights);
        }
        let buffers = buffers.into_iter().zip(self.kept.tensors);
        buffers
            .map(|(buffer, tensor)| {
                let shape = tensor.shape();
                recycle_flex(tensor);
                Some(flex(buffer, shape))
            })
            .collect()
    }
}
