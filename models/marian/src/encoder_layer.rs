use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use packed_linear::{Format, LayerNorm};
use transformer_layers::{EncoderAttention, FeedForward};

use crate::MarianConfig;
use crate::config::NORM_EPSILON;

/// One post-norm encoder layer: self-attention and feed-forward.
///
/// Hugging Face: `MarianEncoderLayer`.
#[derive(Module, Debug)]
pub(crate) struct EncoderLayer {
    attention: EncoderAttention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
    feed_forward_norm: LayerNorm,
}

impl EncoderLayer {
    pub(crate) fn new(config: &MarianConfig, format: Option<Format>, device: &Device) -> Self {
        let norm = || LayerNorm::new(config.d_model, NORM_EPSILON, device);
        let attention = config.attention(config.encoder_attention_heads);
        let feed_forward = config.feed_forward(config.encoder_ffn_dim);
        Self {
            attention: EncoderAttention::new(&attention, format, device),
            attention_norm: norm(),
            feed_forward: feed_forward.init(format, device),
            feed_forward_norm: norm(),
        }
    }

    /// # Shapes
    /// - hidden, output: `[texts, positions, width]`
    /// - padding: `[texts, positions]`, true = ignore
    pub(crate) fn forward(
        &self,
        hidden: Tensor<3>,
        padding: Option<&Tensor<2, Bool>>,
    ) -> Tensor<3> {
        let attended = self
            .attention
            .forward_padded(hidden.clone(), hidden, padding);
        let hidden = self.attention_norm.forward(attended);
        let output = self.feed_forward.forward(hidden.clone(), hidden);
        self.feed_forward_norm.forward(output)
    }
}
