use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{AttentionBias, Format, Input};

use crate::attention::{AttendsTo, AttentionConfig, KeysValues, Projections};

/// Self-attention of an encoder: every position attends to all positions of its batch item.
///
/// Hugging Face: `CLIPAttention`.
#[derive(Module, Debug)]
pub struct EncoderAttention {
    pub(crate) projections: Projections,
}

impl EncoderAttention {
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

    /// The residual plus what the positions of `x` attend to: in a pre-norm model `x` is the normalised
    /// residual, in a post-norm model the residual itself.
    ///
    /// # Shapes
    /// - x, residual, output: `[batch, positions, width]`
    ///
    /// # Panics
    /// If the last dimension is not the width.
    pub fn forward<'a>(&self, x: impl Into<Input<'a, 3>>, residual: Tensor<3>) -> Tensor<3> {
        let projections = &self.projections;
        let [batch, positions, width] = residual.dims();
        let x = x.into();
        if let Some(joined) = projections.joined(&x) {
            let joined = joined.reshape([batch * positions, 3 * width]);
            if let Some(context) = projections.attend_joined(&joined, batch, None) {
                let context = context.reshape([batch, positions, width]);
                return projections.add_output(context, residual);
            }
        }
        let flat = |states: Tensor<3>| states.reshape([batch * positions, width]);
        let [query, keys, values] = projections.queries_keys_values(x).map(flat);
        let keys_values = KeysValues {
            keys: projections.split(keys, batch),
            values: projections.split(values, batch),
        };
        let of_items = || keys_values.clone();
        let (context, _) =
            projections.attend(query, batch, keys_values.as_slots(), of_items, None, false);
        let context = context.reshape([batch, positions, width]);
        projections.add_output(context, residual)
    }

    /// What the positions of `x` attend to if a bias is added to their scores. There is no residual, since windows
    /// of an image, which attend with a bias, are in another order than the image; whoever adds it applies
    /// dropout.
    ///
    /// Hugging Face: `SwinAttention`.
    ///
    /// # Shapes
    /// - x, output: `[batch, positions, width]`
    ///
    /// # Panics
    /// If the last dimension of `x` is not the width, or the bias does not fit the heads, the positions and the
    /// batch.
    pub fn forward_biased<'a>(
        &self,
        x: impl Into<Input<'a, 3>>,
        bias: AttentionBias<'_>,
    ) -> Tensor<3> {
        let projections = &self.projections;
        let [query, keys, values] = projections.queries_keys_values(x.into());
        let [batch, positions, width] = query.dims();
        let flat = |states: Tensor<3>| states.reshape([batch * positions, width]);
        let keys_values = KeysValues {
            keys: projections.split(flat(keys), batch),
            values: projections.split(flat(values), batch),
        };
        let context = projections.attend_biased(flat(query), batch, keys_values, bias);
        let context = context.reshape([batch, positions, width]);
        projections.output.forward(context)
    }
}
