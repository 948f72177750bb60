use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};
use packed_linear::{Activation, Format, Input, PackedLinear};

use crate::residual::add_projected;

/// Two linear layers with an activation between them, and the residual connection around them.
///
/// Hugging Face: `CLIPMLP`, and `fc1` and `fc2` of `MBartDecoderLayer`.
#[derive(Module, Debug)]
pub struct FeedForward {
    input: PackedLinear,
    output: PackedLinear,
    activation_dropout: Dropout,
    dropout: Dropout,
    #[module(skip)]
    activation: Activation,
}

/// Creates a [`FeedForward`].
#[derive(Clone, Debug)]
pub struct FeedForwardConfig {
    /// Width of the hidden states.
    pub width: usize,
    /// Width between the two layers.
    pub inner_width: usize,
    /// The activation between the two layers.
    pub activation: Activation,
    /// Standard deviation of fresh weights of the first layer.
    pub input_std: f64,
    /// Standard deviation of fresh weights of the second layer.
    pub output_std: f64,
    /// Dropout after the activation.
    pub activation_dropout: f64,
    /// Dropout between the second layer and the residual.
    pub dropout: f64,
}

impl FeedForwardConfig {
    /// Fresh weights have a standard deviation of 0.02, and there is no dropout.
    pub fn new(width: usize, inner_width: usize, activation: Activation) -> Self {
        Self {
            width,
            inner_width,
            activation,
            input_std: 0.02,
            output_std: 0.02,
            activation_dropout: 0.0,
            dropout: 0.0,
        }
    }

    /// Creates the layers with fresh weights, packed if there is a format. Nothing is allocated before
    /// a weight is used.
    ///
    /// # Panics
    /// If a dropout rate is not 0 or above, and below 1.
    pub fn init(&self, format: Option<Format>, device: &Device) -> FeedForward {
        let (width, inner) = (self.width, self.inner_width);
        FeedForward {
            input: PackedLinear::normal([width, inner], self.input_std, format, device),
            output: PackedLinear::normal([inner, width], self.output_std, format, device),
            activation_dropout: DropoutConfig::new(self.activation_dropout).init(),
            dropout: DropoutConfig::new(self.dropout).init(),
            activation: self.activation,
        }
    }
}

impl FeedForward {
    /// The residual plus what the layers compute from `x`: in a pre-norm model `x` is the normalised
    /// residual, in a post-norm model the residual itself.
    ///
    /// # Shapes
    /// - x, residual, output: `[.., width]`
    ///
    /// # Panics
    /// If the last dimension is not the width.
    pub fn forward<'a, const D: usize>(
        &self,
        x: impl Into<Input<'a, D>>,
        residual: Tensor<D>,
    ) -> Tensor<D> {
        let inner = self.input.forward_activated(x, self.activation);
        let inner = self.activation_dropout.forward(inner); // [.., inner_width]
        add_projected(&self.output, inner, &self.dropout, residual)
    }
}
