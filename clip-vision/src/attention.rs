use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::module::attention;
use burn::tensor::{Device, Tensor};

use crate::ClipVisionConfig;
use crate::linear::linear;

/// Multi-head self-attention over all positions.
///
/// Hugging Face: `CLIPAttention`.
#[derive(Module, Debug)]
pub(crate) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    #[module(skip)]
    heads: usize,
}

impl Attention {
    pub(crate) fn new(config: &ClipVisionConfig, device: &Device) -> Self {
        let width = config.hidden_size;
        let output_std = config.initializer_factor / (width as f64).sqrt();
        let input_std = output_std / ((2 * config.num_hidden_layers) as f64).sqrt();
        Self {
            query: linear(width, width, input_std, device),
            key: linear(width, width, input_std, device),
            value: linear(width, width, input_std, device),
            output: linear(width, width, output_std, device),
            heads: config.num_attention_heads,
        }
    }

    /// # Shapes
    /// - hidden, output: `[batch, positions, width]`
    pub(crate) fn forward(&self, hidden: Tensor<3>) -> Tensor<3> {
        let [batch, positions, width] = hidden.dims();
        let split = |states: Tensor<3>| {
            states
                .reshape([batch, positions, self.heads, width / self.heads])
                .swap_dims(1, 2) // [batch, heads, positions, head_width]
        };
        let context = attention(
            split(self.query.forward(hidden.clone())),
            split(self.key.forward(hidden.clone())),
            split(self.value.forward(hidden)),
            None,
            None,
            Default::default(), // scaled by 1/√head_width, as CLIP does
        );
        self.output
            .forward(context.swap_dims(1, 2).reshape([batch, positions, width]))
    }
}
