use packed_linear::Activation;
use transformer_layers::{AttentionConfig, DecoderLayerConfig, FeedForwardConfig, NormPlacement};

use crate::TrocrDecoderConfig;

/// The epsilon of layer norms, which is PyTorch's default.
pub(crate) const NORM_EPSILON: f64 = 1e-5;

/// A post-norm decoder layer. The memory may have another width than the hidden states.
///
/// Hugging Face: `TrOCRDecoderLayer`.
pub(crate) fn layer(config: &TrocrDecoderConfig) -> DecoderLayerConfig {
    let std = config.init_std;
    let attention = AttentionConfig {
        input_std: std,
        output_std: std,
        attention_dropout: config.attention_dropout,
        dropout: config.dropout,
        ..AttentionConfig::new(config.d_model, config.decoder_attention_heads)
    };
    let activation = Activation::from(config.activation_function);
    DecoderLayerConfig {
        self_attention: attention.clone(),
        cross_attention: AttentionConfig {
            memory_width: config.memory_width(),
            ..attention
        },
        feed_forward: FeedForwardConfig {
            input_std: std,
            output_std: std,
            activation_dropout: config.activation_dropout,
            dropout: config.dropout,
            ..FeedForwardConfig::new(config.d_model, config.decoder_ffn_dim, activation)
        },
        norms: NormPlacement::AfterResidual,
        norm_epsilon: NORM_EPSILON,
    }
}
