use packed_linear::Activation;
use transformer_layers::{AttentionConfig, DecoderLayerConfig, FeedForwardConfig, NormPlacement};

use crate::Gpt2DecoderConfig;

/// The pre-norm layer of this index. Queries, keys and values are projected by one layer.
///
/// Hugging Face: `GPT2Block`, with `GPT2Attention` and `GPT2MLP`.
pub(crate) fn layer(config: &Gpt2DecoderConfig, index: usize) -> DecoderLayerConfig {
    let input_std = config.initializer_range;
    // So that the residual does not grow with the number of layers: "Language Models are Unsupervised Multitask
    // Learners", 2019, section 2.3.
    let output_std = input_std / (2.0 * config.n_layer as f64).sqrt();
    let attention = AttentionConfig {
        input_std,
        output_std,
        attention_dropout: config.attn_pdrop,
        dropout: config.resid_pdrop,
        is_fused: true,
        scale: scale(config, index),
        ..AttentionConfig::new(config.n_embd, config.n_head)
    };
    let activation = Activation::from(config.activation_function);
    DecoderLayerConfig {
        self_attention: attention.clone(),
        cross_attention: attention,
        feed_forward: FeedForwardConfig {
            input_std,
            output_std,
            dropout: config.resid_pdrop,
            ..FeedForwardConfig::new(config.n_embd, config.inner_width(), activation)
        },
        norms: NormPlacement::BeforeBlock,
        norm_epsilon: config.layer_norm_epsilon,
    }
}

/// What the scores of attention are multiplied by, if it is not `1 / √head_width`.
fn scale(config: &Gpt2DecoderConfig, index: usize) -> Option<f64> {
    let head_width = (config.n_embd / config.n_head) as f64;
    let of_width = match config.scale_attn_weights {
        true => head_width.sqrt().recip(),
        false => 1.0,
    };
    match config.scale_attn_by_inverse_layer_idx {
        true => Some(of_width / (index + 1) as f64),
        false => (!config.scale_attn_weights).then_some(of_width),
    }
}
