use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Format, LayerNorm};

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
        let norm = || LayerNorm::new(config.hidden_size, config.layer_norm_eps, device);
        Self {
            attention_norm: norm(),
            attention: Attention::new(config, format, device),
            feed_forward_norm: norm(),
            feed_forward: FeedForward::new(config, format, device),
        }
    }

    /// # Shapes
    /// - hidden, output: `[batch, positions, width]`
    pub(crate) fn forward(&self, hidden: Tensor<3>) -> Tensor<3> {
        let hidden = self.attention.forward(&self.attention_norm, hidden);
        self.feed_forward.forward(&self.feed_forward_norm, hidden)
    }
}
