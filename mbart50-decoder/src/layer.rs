use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::{Bool, Device, Tensor};
use packed_linear::Format;

use crate::MBartDecoderConfig;
use crate::attention::{CrossAttention, SelfAttention};
use crate::feed_forward::FeedForward;
use crate::row_images::RowImages;
use crate::slots::Slots;
use crate::state::LayerState;

/// One pre-norm decoder layer: over the row's own tokens, over its image, then feed-forward.
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

/// Which keys each query must not see; `true` = hidden.
pub(crate) struct Masks {
    /// `[rows or 1, 1, new, tokens so far]`
    pub(crate) tokens: Option<Tensor<4, Bool>>,
    /// `[images, 1, 1, positions]`
    pub(crate) memory: Option<Tensor<4, Bool>>,
}

impl DecoderLayer {
    pub(crate) fn new(
        config: &MBartDecoderConfig,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let norm = LayerNormConfig::new(config.d_model);
        Self {
            self_attention_norm: norm.init(device),
            self_attention: SelfAttention::new(config, format, device),
            cross_attention_norm: norm.init(device),
            cross_attention: CrossAttention::new(config, format, device),
            feed_forward_norm: norm.init(device),
            feed_forward: FeedForward::new(config, format, device),
        }
    }

    /// Projects the memory, `[images, positions, width]`, once for all rows and steps.
    pub(crate) fn start(&self, memory: Tensor<3>) -> LayerState {
        LayerState::new(self.cross_attention.project(memory))
    }

    /// # Shapes
    /// - hidden, output: `[rows · new, width]`
    pub(crate) fn forward(
        &self,
        hidden: Tensor<2>,
        masks: &Masks,
        row_images: &RowImages,
        slots: &Slots,
        state: &mut LayerState,
    ) -> Tensor<2> {
        let normed = self.self_attention_norm.forward(hidden.clone());
        let rows = row_images.rows();
        let attended = self
            .self_attention
            .forward(normed, rows, masks, slots, &mut state.tokens);
        let hidden = hidden + attended;

        let normed = self.cross_attention_norm.forward(hidden.clone());
        let attended = self
            .cross_attention
            .forward(normed, row_images, masks, state);
        let hidden = hidden + attended;

        let normed = self.feed_forward_norm.forward(hidden.clone());
        hidden + self.feed_forward.forward(normed)
    }
}
