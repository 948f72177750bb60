use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Activation, Format, LayerNorm, PackedLinear};

/// What some heads do to hidden states before they score the vocabulary: a linear layer, an activation and a layer norm.
///
/// Hugging Face: `BertPredictionHeadTransform`, and the first layers of `RobertaLMHead`.
#[derive(Module, Debug)]
pub struct HeadTransform {
    dense: PackedLinear,
    norm: LayerNorm,
    #[module(skip)]
    activation: Activation,
}

impl HeadTransform {
    /// Creates the layers with fresh weights of this standard deviation, packed if there is a format. Nothing is allocated
    /// before a weight is used.
    pub fn new(
        width: usize,
        activation: Activation,
        std: f64,
        norm_epsilon: f64,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        Self {
            dense: PackedLinear::normal([width, width], std, format, device),
            norm: LayerNorm::new(width, norm_epsilon, device),
            activation,
        }
    }

    /// Transforms hidden states.
    ///
    /// # Shapes
    /// - hidden, output: `[rows, new, width]`
    ///
    /// # Panics
    /// If the last dimension is not the width.
    pub fn forward(&self, hidden: Tensor<3>) -> Tensor<3> {
        let shape = hidden.dims();
        let flat = hidden.flatten::<2>(0, 1); // [rows · new, width]
        let dense = self.dense.forward_activated(flat, self.activation);
        self.norm.forward(dense).reshape(shape)
    }
}
