use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Tensor};
use packed_linear::Format;

use crate::ClipVisionConfig;
use crate::attention::Attention;
use crate::feed_forward::FeedForward;

/// One pre-norm transformer layer.
///
/// Hugging Face: `CLIPEncoderLayer`.
#[derive(Module, Debug)]
pub(crate) struct EncoderLayer {
    attention_norm: LayerNorm,
    attention: Attention,
    feed_forward_norm: LayerNorm,
    feed_forward: FeedForward,
}

impl EncoderLayer {
    pub(crate) fn new(config: &ClipVisionConfig, format: Option<Format>, device: &Device) -> Self {
        let norm = LayerNormConfig::new(config.hidden_size).with_epsilon(config.layer_norm_eps);
        Self {
            attention_norm: norm.init(device),
            attention: Attention::new(config, format, device),
            feed_forward_norm: norm.init(device),
            feed_forward: FeedForward::new(config, format, device),
        }
    }

    /// # Shapes
    /// - hidden, output: `[batch, positions, width]`
    pub(crate) fn forward(&self, hidden: Tensor<3>) -> Tensor<3> {
        let normed = self.attention_norm.forward(hidden.clone());
        let hidden = hidden + self.attention.forward(normed);
        let normed = self.feed_forward_norm.forward(hidden.clone());
        hidden + self.feed_forward.forward(normed)
    }
}
