use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Format, Input};

use crate::attention::{AttendsTo, AttentionConfig, KeysValues, Projections};
use crate::pass::{Pass, together};
use crate::state::LayerState;

/// Self-attention of a decoder: each token of a row attends to the row's tokens up to itself.
///
/// Hugging Face: `MBartAttention`, as `self_attn`.
#[derive(Module, Debug)]
pub struct SelfAttention {
    projections: Projections,
}

impl SelfAttention {
    /// Creates the layer with fresh weights, packed if there is a format. Nothing is allocated before
    /// a weight is used.
    ///
    /// # Panics
    /// If the width is not a multiple of the heads, or a dropout rate is not 0 or above, and below 1.
    pub fn new(config: &AttentionConfig, format: Option<Format>, device: &Device) -> Self {
        Self {
            projections: Projections::new(config, AttendsTo::Itself, format, device),
        }
    }

    /// Appends the keys and values of `x` to the layer's cache and attends to the whole cache. Returns
    /// the residual plus the result: in a pre-norm model `x` is the normalised residual, in a post-norm
    /// model the residual itself.
    ///
    /// # Shapes
    /// - x, residual, output: `[rows · new, width]`
    ///
    /// # Panics
    /// If the last dimension is not the width.
    pub fn forward<'a>(
        &self,
        x: impl Into<Input<'a, 2>>,
        residual: Tensor<2>,
        pass: &Pass<'_>,
        layer: &mut LayerState,
    ) -> Tensor<2> {
        let projections = &self.projections;
        let x = x.into();
        let joined = projections.joined(&x);
        let [queries, keys, values] = match &joined {
            Some(joined) => [0, 1, 2].map(|index| projections.part(joined, index)),
            None => projections.queries_keys_values(x),
        };
        let parts = pass.split([queries, keys, values]);
        let cohorts = pass.cohorts.iter().zip(&mut layer.cohorts);
        let contexts = parts.into_iter().zip(cohorts);
        let contexts = contexts.map(|([queries, keys, values], (pass, layer))| {
            let (rows, slots, cache) = (pass.sources.rows(), pass.slots, &mut layer.tokens);
            let is_first = cache.is_empty();
            cache.append(KeysValues {
                keys: projections.split(keys, rows),
                values: projections.split(values, rows),
            });
            let mask = pass.token_mask.as_ref();
            // Without tokens before these, queries, keys and values are the columns of one tensor.
            if is_first
                && let Some(joined) = &joined
                && let Some(context) = projections.attend_joined(joined, rows, mask)
            {
                return context;
            }
            let KeysValues { keys, values } = cache.all();
            let keys_values = packed_linear::KeysValues {
                keys: &keys,
                values: &values,
                length: cache.length(),
                slots: slots.table(),
            };
            let of_rows = || cache.of_rows(rows, slots);
            let attended = projections.attend(queries, rows, keys_values, of_rows, mask, false);
            attended.0
        });
        projections.add_output(together(contexts), residual)
    }
}
