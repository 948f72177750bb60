use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Format, Input, LayerNorm};
use transformer_layers::{AttentionConfig, EncoderAttention, FeedForward, FeedForwardConfig};

use crate::ClipVisionConfig;

/// One pre-norm transformer layer.
///
/// Hugging Face: `CLIPEncoderLayer`.
#[derive(Module, Debug)]
pub(crate) struct EncoderLayer {
    attention_norm: LayerNorm,
    attention: EncoderAttention,
    feed_forward_norm: LayerNorm,
    feed_forward: FeedForward,
}

impl EncoderLayer {
    pub(crate) fn new(config: &ClipVisionConfig, format: Option<Format>, device: &Device) -> Self {
        let norm = || LayerNorm::new(config.hidden_size, config.layer_norm_eps, device);
        let activation = config.hidden_act.into();
        // The standard deviations of fresh weights in Hugging Face's `CLIPPreTrainedModel`.
        let (factor, width) = (config.initializer_factor, config.hidden_size as f64);
        let depth = (2 * config.num_hidden_layers) as f64;
        let attention = AttentionConfig {
            input_std: factor / width.sqrt() / depth.sqrt(),
            output_std: factor / width.sqrt(),
            attention_dropout: config.attention_dropout,
            ..AttentionConfig::new(config.hidden_size, config.num_attention_heads)
        };
        let feed_forward = FeedForwardConfig {
            input_std: factor / (2.0 * width).sqrt(),
            output_std: factor / (depth * width).sqrt(),
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
