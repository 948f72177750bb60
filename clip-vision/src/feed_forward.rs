use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::{gelu, sigmoid};
use burn::tensor::{Device, Tensor};

use crate::linear::linear;
use crate::{ClipVisionConfig, HiddenAct};

/// Two linear layers with an activation between them.
///
/// Hugging Face: `CLIPMLP`.
#[derive(Module, Debug)]
pub(crate) struct FeedForward {
    input: Linear,
    output: Linear,
    #[module(skip)]
    activation: HiddenAct,
}

impl FeedForward {
    pub(crate) fn new(config: &ClipVisionConfig, device: &Device) -> Self {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let factor = config.initializer_factor;
        let input_std = factor / ((2 * width) as f64).sqrt();
        let output_std = factor / ((2 * config.num_hidden_layers * width) as f64).sqrt();
        Self {
            input: linear(width, inner, input_std, device),
            output: linear(inner, width, output_std, device),
            activation: config.hidden_act,
        }
    }

    /// # Shapes
    /// - hidden, output: `[batch, positions, width]`
    pub(crate) fn forward(&self, hidden: Tensor<3>) -> Tensor<3> {
        let inner = self.input.forward(hidden);
        self.output.forward(match self.activation {
            HiddenAct::QuickGelu => inner.clone() * sigmoid(inner * 1.702),
            HiddenAct::Gelu => gelu(inner),
        })
    }
}
