use transformer_layers::{DecoderLayerConfig, NormPlacement};

use crate::MarianConfig;
use crate::config::NORM_EPSILON;

/// A post-norm decoder layer.
///
/// Hugging Face: `MarianDecoderLayer`.
pub(crate) fn decoder_layer(config: &MarianConfig) -> DecoderLayerConfig {
    let attention = config.attention(config.decoder_attention_heads);
    DecoderLayerConfig {
        self_attention: attention.clone(),
        cross_attention: attention,
        feed_forward: config.feed_forward(config.decoder_ffn_dim),
        norms: NormPlacement::AfterResidual,
        norm_epsilon: NORM_EPSILON,
    }
}
