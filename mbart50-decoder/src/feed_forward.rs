use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::{gelu, relu};
use burn::tensor::{Device, Tensor};

use crate::linear::linear;
use crate::{ActivationFunction, MBartDecoderConfig};

/// Two linear layers with an activation between them: `fc1` and `fc2` in Hugging Face's
/// `MBartDecoderLayer`.
#[derive(Module, Debug)]
pub(crate) struct FeedForward {
    input: Linear,
    output: Linear,
    #[module(skip)]
    activation: ActivationFunction,
}

impl FeedForward {
    pub(crate) fn new(config: &MBartDecoderConfig, device: &Device) -> Self {
        let (width, inner, std) = (config.d_model, config.decoder_ffn_dim, config.init_std);
        Self {
            input: linear(width, inner, std, device),
            output: linear(inner, width, std, device),
            activation: config.activation_function,
        }
    }

    /// # Shapes
    /// - hidden, output: `[rows · new, width]`
    pub(crate) fn forward(&self, hidden: Tensor<2>) -> Tensor<2> {
        let inner = self.input.forward(hidden);
        self.output.forward(match self.activation {
            ActivationFunction::Gelu => gelu(inner),
            ActivationFunction::Relu => relu(inner),
        })
    }
}
