use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Activation, Format, Input, LayerNorm, PackedLinear};

use crate::{ActivationFunction, MBartDecoderConfig};

/// Two linear layers with an activation between them: `fc1` and `fc2` in Hugging Face's
/// `MBartDecoderLayer`.
#[derive(Module, Debug)]
pub(crate) struct FeedForward {
    input: PackedLinear,
    output: PackedLinear,
    #[module(skip)]
    activation: Activation,
}

impl FeedForward {
    pub(crate) fn new(
        config: &MBartDecoderConfig,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let (width, inner, std) = (config.d_model, config.decoder_ffn_dim, config.init_std);
        Self {
            input: PackedLinear::normal([width, inner], std, format, device),
            output: PackedLinear::normal([inner, width], std, format, device),
            activation: match config.activation_function {
                ActivationFunction::Gelu => Activation::Gelu,
                ActivationFunction::Relu => Activation::Relu,
            },
        }
    }

    /// Adds what the layers make of the normalised hidden states.
    ///
    /// # Shapes
    /// - hidden, output: `[rows · new, width]`
    pub(crate) fn forward(&self, norm: &LayerNorm, hidden: Tensor<2>) -> Tensor<2> {
        let normed = Input::normed(norm, hidden.clone());
        let inner = self.input.forward_activated(normed, self.activation);
        self.output.forward_added(inner, hidden)
    }
}
