use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Format, Input, LayerNorm};
use transformer_layers::{AttentionConfig, EncoderAttention, FeedForward, FeedForwardConfig};

use crate::ViTConfig;

/// One pre-norm transformer layer.
///
/// Hugging Face: `ViTLayer`, `DeiTLayer`.
#[derive(Module, Debug)]
pub(crate) struct EncoderLayer {
    attention_norm: LayerNorm,
    attention: EncoderAttention,
    feed_forward_norm: LayerNorm,
    feed_forward: FeedForward,
}

impl EncoderLayer {
    pub(crate) fn new(config: &ViTConfig, format: Option<Format>, device: &Device) -> Self {
        let norm = || LayerNorm::new(config.hidden_size, config.layer_norm_eps, device);
        let attention = AttentionConfig {
            input_bias: config.qkv_bias,
            input_std: config.initializer_range,
            output_std: config.initializer_range,
            attention_dropout: config.attention_probs_dropout_prob,
            dropout: config.hidden_dropout_prob,
            ..AttentionConfig::new(config.hidden_size, config.num_attention_heads)
        };
        let activation = config.hidden_act.into();
        let feed_forward = FeedForwardConfig {
            input_std: config.initializer_range,
            output_std: config.initializer_range,
            dropout: config.hidden_dropout_prob,
            ..FeedForwardConfig::new(config.hidden_size, config.intermediate_size, activation)
        };
        Self {
            attention_norm: norm(),
            attention: EncoderAttention::new(&attention, format, device),
            feed_forward_norm: norm(),
            feed_forward: feed_forward.init(format, device),
        }
    }

    /// # Shapes
    /// - hidden, output: `[batch, positions, width]`
    pub(crate) fn forward(&self, hidden: Tensor<3>) -> Tensor<3> {
        let input = Input::normed(&self.attention_norm, hidden.clone());
        let hidden = self.attention.forward(input, hidden);
        let input = Input::normed(&self.feed_forward_norm, hidden.clone());
        self.feed_forward.forward(input, hidden)
    }
}
