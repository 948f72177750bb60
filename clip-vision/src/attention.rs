use burn::module::Module;
use burn::tensor::module::attention;
use burn::tensor::{Device, Tensor};
use packed_linear::{Format, Input, KeysValues, LayerNorm, PackedLinear};

use crate::ClipVisionConfig;

/// Multi-head self-attention over all positions.
///
/// Hugging Face: `CLIPAttention`.
#[derive(Module, Debug)]
pub(crate) struct Attention {
    query: PackedLinear,
    key: PackedLinear,
    value: PackedLinear,
    output: PackedLinear,
    #[module(skip)]
    heads: usize,
}

impl Attention {
    pub(crate) fn new(config: &ClipVisionConfig, format: Option<Format>, device: &Device) -> Self {
        let width = config.hidden_size;
        let output_std = config.initializer_factor / (width as f64).sqrt();
        let input_std = output_std / ((2 * config.num_hidden_layers) as f64).sqrt();
        Self {
            query: PackedLinear::normal([width, width], input_std, format, device),
            key: PackedLinear::normal([width, width], input_std, format, device),
            value: PackedLinear::normal([width, width], input_std, format, device),
            output: PackedLinear::normal([width, width], output_std, format, device),
            heads: config.num_attention_heads,
        }
    }

    /// Adds what the normalised hidden states attend to.
    ///
    /// # Shapes
    /// - hidden, output: `[batch, positions, width]`
    pub(crate) fn forward(&self, norm: &LayerNorm, hidden: Tensor<3>) -> Tensor<3> {
        let [batch, positions, width] = hidden.dims();
        let split = |states: Tensor<3>| {
            states
                .reshape([batch, positions, self.heads, width / self.heads])
                .swap_dims(1, 2) // [batch, heads, positions, head_width]
        };
        let layers = [&self.query, &self.key, &self.value];
        let [query, keys, values] =
            PackedLinear::forward_all(layers, Input::normed(norm, hidden.clone()));
        let (keys, values) = (split(keys), split(values));
        let keys_values = KeysValues {
            keys: &keys,
            values: &values,
            length: positions,
            slots: None,
        };
        let flat = query.clone().reshape([batch * positions, width]);
        let context = match packed_linear::attention(&flat, batch, keys_values, false) {
            Some(attended) => attended.context.reshape([batch, positions, width]),
            None => attention(
                split(query),
                keys,
                values,
                None,
                None,
                Default::default(), // scaled by 1/√head_width, as CLIP does
            )
            .swap_dims(1, 2)
            .reshape([batch, positions, width]),
        };
        self.output.forward_added(context, hidden)
    }
}
