//! Attention with a bias on its scores, in groups of batch items.

use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor, TensorData, s};
use packed_linear::AttentionBias;

use crate::attention::{KeysValues, Projections, scores};

/// The most scores that exist at once where no kernel attends: 64 MiB of them, several times over.
const MOST_SCORES: usize = 1 << 24;

impl Projections {
    /// What queries take from values if a bias is added to their scores: by a kernel where there is one, otherwise
    /// with Burn's operations, a group of batch items at a time.
    ///
    /// # Shapes
    /// - query, output: `[items · positions, width]`
    ///
    /// # Panics
    /// If the bias does not fit the heads, the positions and the number of items.
    pub(crate) fn attend_biased(
        &self,
        query: Tensor<2>,
        items: usize,
        keys_values: &KeysValues,
        bias: AttentionBias<'_>,
    ) -> Tensor<2> {
        let by_kernel =
            packed_linear::biased_attention(&query, items, keys_values.as_slots(), bias);
        if let Some(context) = by_kernel {
            return context;
        }
        let query = self.split(query, items);
        let [_, heads, positions, _] = query.dims();
        let of_item = (heads * positions * positions).max(1);
        let group = (MOST_SCORES / of_item).clamp(1, items);
        let groups = (0..items).step_by(group).map(|first| {
            let group = first..items.min(first + group);
            let part = |of_all: &Tensor<4>| of_all.clone().slice(s![group.clone(), .., .., ..]);
            let scores = scores(part(&query), part(&keys_values.keys));
            let bias = bias_of_items(bias, group.clone());
            let weights = self.attention_dropout.forward(softmax(scores + bias, 3));
            weights.matmul(part(&keys_values.values))
        });
        self.join(Tensor::cat(groups.collect(), 0))
    }
}

/// The biases of some of the batch items, `[items or 1, heads, queries, length]`.
fn bias_of_items(bias: AttentionBias<'_>, items: std::ops::Range<usize>) -> Tensor<4> {
    let kinds = bias.kinds.clone();
    let of_item = |item: usize| i64::from(bias.of_items[item % bias.of_items.len()]);
    let of_items: Vec<i64> = items.map(of_item).collect();
    match of_items.first() {
        Some(first) if of_items.iter().all(|kind| kind == first) => {
            kinds.slice(s![*first..*first + 1, .., .., ..])
        }
        _ => {
            let count = of_items.len();
            let data = TensorData::new(of_items, [count]);
            let of_items = Tensor::<1, Int>::from_data(data, &kinds.device());
            kinds.select(0, of_items)
        }
    }
}
