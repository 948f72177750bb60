//! Attention with a bias on its scores.

use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor, TensorData, s};
use packed_linear::AttentionBias;

use crate::attention::{KeysValues, Projections, scores};

impl Projections {
    /// What queries take from values if a bias is added to their scores: by a kernel where there is one, otherwise
    /// with Burn's operations.
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
        keys_values: KeysValues,
        bias: AttentionBias<'_>,
    ) -> Tensor<2> {
        let query = self.scaled(query);
        let by_kernel =
            packed_linear::biased_attention(&query, items, keys_values.as_slots(), bias);
        if let Some(context) = by_kernel {
            return context;
        }
        let scores = scores(self.split(query, items), keys_values.keys);
        let weights = softmax(scores + bias_of_items(bias, items), 3);
        let context = self
            .attention_dropout
            .forward(weights)
            .matmul(keys_values.values);
        self.join(context)
    }
}

/// The biases of all batch items, `[items or 1, heads, queries, length]`.
fn bias_of_items(bias: AttentionBias<'_>, items: usize) -> Tensor<4> {
    let kinds = bias.kinds.clone();
    match bias.of_items {
        [first, others @ ..] if others.iter().all(|kind| kind == first) => {
            let kind = *first as usize;
            kinds.slice(s![kind..kind + 1, .., .., ..])
        }
        of_items => {
            let of_items = of_items.iter().map(|kind| i64::from(*kind)).cycle();
            let data = TensorData::new(of_items.take(items).collect::<Vec<_>>(), [items]);
            let of_items = Tensor::<1, Int>::from_data(data, &kinds.device());
            kinds.select(0, of_items)
        }
    }
}
