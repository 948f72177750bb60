use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Activation, Format, Input, LayerNorm};
use transformer_layers::{
    AttentionConfig, CrossAttention, FeedForward, FeedForwardConfig, LayerState, Pass,
    SelfAttention,
};

use crate::{ActivationFunction, MBartDecoderConfig};

/// One pre-norm decoder layer: self-attention, cross-attention, feed-forward.
///
/// Hugging Face: `MBartDecoderLayer`.
#[derive(Module, Debug)]
pub(crate) struct DecoderLayer {
    self_attention_norm: LayerNorm,
    self_attention: SelfAttention,
    cross_attention_norm: LayerNorm,
    cross_attention: CrossAttention,
    feed_forward_norm: LayerNorm,
    feed_forward: FeedForward,
}

/// The epsilon of layer norms, which is PyTorch's default.
pub(crate) const NORM_EPSILON: f64 = 1e-5;

impl DecoderLayer {
    pub(crate) fn new(
        config: &MBartDecoderConfig,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let norm = || LayerNorm::new(config.d_model, NORM_EPSILON, device);
        let attention = AttentionConfig {
            input_std: config.init_std,
            output_std: config.init_std,
            attention_dropout: config.attention_dropout,
            dropout: config.dropout,
            ..AttentionConfig::new(config.d_model, config.decoder_attention_heads)
        };
        let activation = match config.activation_function {
            ActivationFunction::Gelu => Activation::Gelu,
            ActivationFunction::Relu => Activation::Relu,
        };
        let feed_forward = FeedForwardConfig {
            input_std: config.init_std,
            output_std: config.init_std,
            activation_dropout: config.activation_dropout,
            dropout: config.dropout,
            ..FeedForwardConfig::new(config.d_model, config.decoder_ffn_dim, activation)
        };
        Self {
            self_attention_norm: norm(),
            self_attention: SelfAttention::new(&attention, format, device),
            cross_attention_norm: norm(),
            cross_attention: CrossAttention::new(&attention, format, device),
            feed_forward_norm: norm(),
            feed_forward: feed_forward.init(format, device),
        }
    }

    /// The state before the first token: keys and values of the memory, `[sources, positions, width]`.
    pub(crate) fn start(&self, memory: Tensor<3>) -> LayerState {
        self.cross_attention.start(memory)
    }

    /// # Shapes
    /// - hidden, output: `[rows · new, width]`
    pub(crate) fn forward(
        &self,
        hidden: Tensor<2>,
        pass: &Pass<'_>,
        state: &mut LayerState,
    ) -> Tensor<2> {
        let input = Input::normed(&self.self_attention_norm, hidden.clone());
        let hidden = self.self_attention.forward(input, hidden, pass, state);
        let input = Input::normed(&self.cross_attention_norm, hidden.clone());
        let hidden = self.cross_attention.forward(input, hidden, pass, state);
        let input = Input::normed(&self.feed_forward_norm, hidden.clone());
        self.feed_forward.forward(input, hidden)
    }
}
