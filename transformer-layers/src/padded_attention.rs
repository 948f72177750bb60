use burn::tensor::{Bool, Tensor};
use packed_linear::Input;

use crate::EncoderAttention;
use crate::attention::KeysValues;

impl EncoderAttention {
    /// [`forward`](Self::forward) for items of different lengths: no position attends to padding. What padding itself
    /// attends to is meaningless.
    ///
    /// # Shapes
    /// - x, residual, output: `[batch, positions, width]`
    /// - padding: `[batch, positions]`, true = ignore
    ///
    /// # Panics
    /// If the last dimension is not the width.
    pub fn forward_padded<'a>(
        &self,
        x: impl Into<Input<'a, 3>>,
        residual: Tensor<3>,
        padding: Option<&Tensor<2, Bool>>,
    ) -> Tensor<3> {
        let Some(padding) = padding else {
            return self.forward(x, residual);
        };
        let projections = &self.projections;
        let [batch, positions, width] = residual.dims();
        let mask = padding.clone().reshape([batch, 1, 1, positions]);
        let flat = |states: Tensor<3>| states.reshape([batch * positions, width]);
        let [query, keys, values] = projections.queries_keys_values(x.into()).map(flat);
        let keys_values = KeysValues {
            keys: projections.split(keys, batch),
            values: projections.split(values, batch),
        };
        let of_items = || keys_values.clone();
        let (context, _) = projections.attend(
            query,
            batch,
            keys_values.as_slots(),
            of_items,
            Some(&mask),
            false,
        );
        let context = context.reshape([batch, positions, width]);
        projections.add_output(context, residual)
    }
}
