use burn::module::Module;
use burn::tensor::{Device, Tensor};
use packed_linear::{Format, Input, LayerNorm};

use crate::{
    AttentionConfig, CrossAttention, FeedForward, FeedForwardConfig, LayerState, Pass,
    SelfAttention,
};

/// One decoder layer: self-attention, cross-attention, feed-forward, with a layer norm for each.
///
/// Hugging Face: `MBartDecoderLayer` and `GPT2Block`, which normalise before each block; `BertLayer` and
/// `TrOCRDecoderLayer`, which do it afterwards.
#[derive(Module, Debug)]
pub struct DecoderLayer {
    self_attention_norm: LayerNorm,
    self_attention: SelfAttention,
    cross_attention_norm: LayerNorm,
    cross_attention: CrossAttention,
    feed_forward_norm: LayerNorm,
    feed_forward: FeedForward,
    #[module(skip)]
    norms: NormPlacement,
}

/// Where the layer norm of a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormPlacement {
    /// Pre-norm, `x + block(norm(x))`.
    BeforeBlock,
    /// Post-norm, `norm(x + block(x))`.
    AfterResidual,
}

/// Creates a [`DecoderLayer`].
#[derive(Clone, Debug)]
pub struct DecoderLayerConfig {
    /// Self-attention.
    pub self_attention: AttentionConfig,
    /// Cross-attention.
    pub cross_attention: AttentionConfig,
    /// The feed-forward block.
    pub feed_forward: FeedForwardConfig,
    /// Where the layer norms are.
    pub norms: NormPlacement,
    /// The epsilon of the layer norms.
    pub norm_epsilon: f64,
}

impl DecoderLayerConfig {
    /// Creates the layer with fresh weights, packed if there is a format. Nothing is allocated before a weight is used.
    ///
    /// # Panics
    /// If a width is not a multiple of the heads, or a dropout rate is not 0 or above, and below 1.
    pub fn init(&self, format: Option<Format>, device: &Device) -> DecoderLayer {
        let norm = || LayerNorm::new(self.feed_forward.width, self.norm_epsilon, device);
        DecoderLayer {
            self_attention_norm: norm(),
            self_attention: SelfAttention::new(&self.self_attention, format, device),
            cross_attention_norm: norm(),
            cross_attention: CrossAttention::new(&self.cross_attention, format, device),
            feed_forward_norm: norm(),
            feed_forward: self.feed_forward.init(format, device),
            norms: self.norms,
        }
    }
}

impl DecoderLayer {
    /// The state before the first token: keys and values of the memory, `[sources, positions, memory_width]`.
    pub fn start(&self, memory: Tensor<3>) -> LayerState {
        self.cross_attention.start(memory)
    }

    /// Computes new tokens.
    ///
    /// # Shapes
    /// - hidden, output: `[rows · new, width]`
    ///
    /// # Panics
    /// If the last dimension is not the width.
    pub fn forward(&self, hidden: Tensor<2>, pass: &Pass<'_>, state: &mut LayerState) -> Tensor<2> {
        match self.norms {
            NormPlacement::BeforeBlock => {
                let input = Input::normed(&self.self_attention_norm, hidden.clone());
                let hidden = self.self_attention.forward(input, hidden, pass, state);
                let input = Input::normed(&self.cross_attention_norm, hidden.clone());
                let hidden = self.cross_attention.forward(input, hidden, pass, state);
                let input = Input::normed(&self.feed_forward_norm, hidden.clone());
                self.feed_forward.forward(input, hidden)
            }
            NormPlacement::AfterResidual => {
                let input = hidden.clone();
                let hidden = self.self_attention.forward(input, hidden, pass, state);
                let hidden = self.self_attention_norm.forward(hidden);
                let input = hidden.clone();
                let hidden = self.cross_attention.forward(input, hidden, pass, state);
                let hidden = self.cross_attention_norm.forward(hidden);
                let input = hidden.clone();
                let hidden = self.feed_forward.forward(input, hidden);
                self.feed_forward_norm.forward(hidden)
            }
        }
    }
}
