use packed_linear::Activation;
use transformer_layers::{AttentionConfig, DecoderLayerConfig, FeedForwardConfig, NormPlacement};

use crate::BertDecoderConfig;

/// A post-norm decoder layer.
///
/// Hugging Face: `BertLayer` and `RobertaLayer`, as decoders with cross-attention.
pub(crate) fn layer(config: &BertDecoderConfig) -> DecoderLayerConfig {
    let std = config.initializer_range;
    let attention = AttentionConfig {
        input_std: std,
        output_std: std,
        attention_dropout: config.attention_probs_dropout_prob,
        dropout: config.hidden_dropout_prob,
        ..AttentionConfig::new(config.hidden_size, config.num_attention_heads)
    };
    let activation = Activation::from(config.hidden_act);
    DecoderLayerConfig {
        self_attention: attention.clone(),
        cross_attention: attention,
        feed_forward: FeedForwardConfig {
            input_std: std,
            output_std: std,
            dropout: config.hidden_dropout_prob,
            ..FeedForwardConfig::new(config.hidden_size, config.intermediate_size, activation)
        },
        norms: NormPlacement::AfterResidual,
        norm_epsilon: config.layer_norm_eps,
    }
}
