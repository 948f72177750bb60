use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Activation, Format, Input, LayerNorm, PackedLinear};

use crate::{ClipVisionConfig, HiddenAct};

/// Two linear layers with an activation between them.
///
/// Hugging Face: `CLIPMLP`.
#[derive(Module, Debug)]
pub(crate) struct FeedForward {
    input: PackedLinear,
    output: PackedLinear,
    #[module(skip)]
    activation: Activation,
}

impl FeedForward {
    pub(crate) fn new(config: &ClipVisionConfig, format: Option<Format>, device: &Device) -> Self {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let factor = config.initializer_factor;
        let input_std = factor / ((2 * width) as f64).sqrt();
        let output_std = factor / ((2 * config.num_hidden_layers * width) as f64).sqrt();
        Self {
            input: PackedLinear::normal([width, inner], input_std, format, device),
            output: PackedLinear::normal([inner, width], output_std, format, device),
            activation: match config.hidden_act {
                HiddenAct::QuickGelu => Activation::QuickGelu,
                HiddenAct::Gelu => Activation::Gelu,
            },
        }
    }

    /// Adds what the layers make of the normalised hidden states.
    ///
    /// # Shapes
    /// - hidden, output: `[batch, positions, width]`
    pub(crate) fn forward(&self, norm: &LayerNorm, hidden: Tensor<3>) -> Tensor<3> {
        let normed = Input::normed(norm, hidden.clone());
        let inner = self.input.forward_activated(normed, self.activation);
        self.output.forward_added(inner, hidden)
    }
}
