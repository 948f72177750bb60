use packed_linear::Activation;
use transformer_layers::{AttentionConfig, DecoderLayerConfig, FeedForwardConfig, NormPlacement};

use crate::MBartDecoderConfig;

/// The epsilon of layer norms, which is PyTorch's default.
pub(crate) const NORM_EPSILON: f64 = 1e-5;

/// A pre-norm decoder layer.
///
/// Hugging Face: `MBartDecoderLayer`.
pub(crate) fn layer(config: &MBartDecoderConfig) -> DecoderLayerConfig {
    let attention = AttentionConfig {
        input_std: config.init_std,
        output_std: config.init_std,
        attention_dropout: config.attention_dropout,
        dropout: config.dropout,
        ..AttentionConfig::new(config.d_model, config.decoder_attention_heads)
    };
    let activation = Activation::from(config.activation_function);
    DecoderLayerConfig {
        self_attention: attention.clone(),
        cross_attention: attention,
        feed_forward: FeedForwardConfig {
            input_std: config.init_std,
            output_std: config.init_std,
            activation_dropout: config.activation_dropout,
            dropout: config.dropout,
            ..FeedForwardConfig::new(config.d_model, config.decoder_ffn_dim, activation)
        },
        norms: NormPlacement::BeforeBlock,
        norm_epsilon: NORM_EPSILON,
    }
}
