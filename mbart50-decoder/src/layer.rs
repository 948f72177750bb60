use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use packed_linear::{Format, LayerNorm};

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

/// Added to the variance: what PyTorch adds where nothing else is said, as in mBART.
const NORM_EPSILON: f64 = 1e-5;

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
        let norm = || LayerNorm::new(config.d_model, NORM_EPSILON, device);
        Self {
            self_attention_norm: norm(),
            self_attention: SelfAttention::new(config, format, device),
            cross_attention_norm: norm(),
            cross_attention: CrossAttention::new(config, format, device),
            feed_forward_norm: norm(),
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
        let norm = &self.self_attention_norm;
        let (rows, tokens) = (row_images.rows(), &mut state.tokens);
        let hidden = self
            .self_attention
            .forward(norm, hidden, rows, masks, slots, tokens);
        let norm = &self.cross_attention_norm;
        let hidden = self
            .cross_attention
            .forward(norm, hidden, row_images, masks, state);
        self.feed_forward.forward(&self.feed_forward_norm, hidden)
    }
}
