use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Format, LayerNorm};
use transformer_layers::{CrossAttention, FeedForward, LayerState, Pass, SelfAttention};

use crate::MarianConfig;
use crate::config::NORM_EPSILON;

/// One post-norm decoder layer: self-attention, cross-attention, feed-forward.
///
/// Hugging Face: `MarianDecoderLayer`.
#[derive(Module, Debug)]
pub(crate) struct DecoderLayer {
    self_attention: SelfAttention,
    self_attention_norm: LayerNorm,
    cross_attention: CrossAttention,
    cross_attention_norm: LayerNorm,
    feed_forward: FeedForward,
    feed_forward_norm: LayerNorm,
}

impl DecoderLayer {
    pub(crate) fn new(config: &MarianConfig, format: Option<Format>, device: &Device) -> Self {
        let norm = || LayerNorm::new(config.d_model, NORM_EPSILON, device);
        let attention = config.attention(config.decoder_attention_heads);
        let feed_forward = config.feed_forward(config.decoder_ffn_dim);
        Self {
            self_attention: SelfAttention::new(&attention, format, device),
            self_attention_norm: norm(),
            cross_attention: CrossAttention::new(&attention, format, device),
            cross_attention_norm: norm(),
            feed_forward: feed_forward.init(format, device),
            feed_forward_norm: norm(),
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
        let attended = self
            .self_attention
            .forward(hidden.clone(), hidden, pass, state);
        let hidden = self.self_attention_norm.forward(attended);
        let attended = self
            .cross_attention
            .forward(hidden.clone(), hidden, pass, state);
        let hidden = self.cross_attention_norm.forward(attended);
        let output = self.feed_forward.forward(hidden.clone(), hidden);
        self.feed_forward_norm.forward(output)
    }
}
