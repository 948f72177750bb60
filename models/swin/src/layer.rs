use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};
use packed_linear::{AttentionBias, Format, Input, LayerNorm};
use transformer_layers::{AttentionConfig, EncoderAttention, FeedForward, FeedForwardConfig};

use crate::drop_path::DropPath;
use crate::parts::{MOST_VALUES, in_parts};
use crate::relative_positions::RelativePositions;
use crate::windows::Windows;
use crate::{SwinConfig, SwinModelType};

/// One pre-norm layer, which attends within windows.
///
/// Hugging Face: `SwinLayer`, `DonutSwinLayer`.
#[derive(Module, Debug)]
pub(crate) struct Layer {
    attention_norm: LayerNorm,
    attention: EncoderAttention,
    relative_positions: RelativePositions,
    attention_dropout: Dropout,
    drop_path: DropPath,
    feed_forward_norm: LayerNorm,
    feed_forward: FeedForward,
}

impl Layer {
    /// A layer of a stage, which is left out at a rate.
    pub(crate) fn new(
        config: &SwinConfig,
        stage: usize,
        drop_path_rate: f64,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let width = config.stage_width(stage);
        let heads = config.num_heads[stage];
        let norm = || LayerNorm::new(width, config.layer_norm_eps, device);
        let attention = AttentionConfig {
            input_bias: config.qkv_bias,
            input_std: config.initializer_range,
            output_std: config.initializer_range,
            attention_dropout: config.attention_probs_dropout_prob,
            ..AttentionConfig::new(width, heads)
        };
        let inner = config.inner_width(stage);
        let feed_forward = FeedForwardConfig {
            input_std: config.initializer_range,
            output_std: config.initializer_range,
            dropout: config.hidden_dropout_prob,
            ..FeedForwardConfig::new(width, inner, config.hidden_act.into())
        };
        let attention_dropout = match config.model_type {
            SwinModelType::Swin => config.hidden_dropout_prob,
            SwinModelType::DonutSwin => config.attention_probs_dropout_prob,
        };
        Self {
            attention_norm: norm(),
            attention: EncoderAttention::new(&attention, format, device),
            relative_positions: RelativePositions::new(config.window_size, heads, device),
            attention_dropout: DropoutConfig::new(attention_dropout).init(),
            drop_path: DropPath::new(drop_path_rate),
            feed_forward_norm: norm(),
            feed_forward: feed_forward.init(format, device),
        }
    }

    /// # Shapes
    /// - hidden, output: `[batch, rows · columns, width]`
    pub(crate) fn forward(&self, hidden: Tensor<3>, windows: &Windows) -> Tensor<3> {
        let hidden = hidden.clone() + self.drop_path.forward(self.attend(hidden, windows));
        let [batch, positions, width] = hidden.dims();
        let rows = hidden.reshape([batch * positions, width]);
        let rows = in_parts(rows, MOST_VALUES, |rows, _| {
            let input = Input::normed(&self.feed_forward_norm, rows.clone());
            self.feed_forward.forward(input, rows)
        });
        rows.reshape([batch, positions, width])
    }

    /// What positions attend to in their windows.
    ///
    /// # Shapes
    /// - hidden, output: `[batch, rows · columns, width]`
    fn attend(&self, hidden: Tensor<3>, windows: &Windows) -> Tensor<3> {
        // Padding comes after the norm, so it is 0 for the projections.
        let cut = windows.cut(self.attention_norm.forward(hidden));
        let bias = self.relative_positions.bias(windows.relative_index.clone());
        let kinds = match &windows.masks {
            Some(masks) => bias + masks.clone(),
            None => bias,
        };
        let attended = in_parts(cut, MOST_VALUES, |cut, first| {
            let [count, _, _] = cut.dims();
            let bias = AttentionBias {
                kinds: &kinds,
                of_items: &windows.kinds(first, count),
            };
            self.attention.forward_biased(cut, bias)
        });
        self.attention_dropout.forward(windows.join(attended))
    }
}
