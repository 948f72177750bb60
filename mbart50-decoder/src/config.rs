use serde::{Deserialize, Serialize};
use transformer_layers::{ConfigError, HiddenAct};

/// The sizes of an mBART decoder, under the names of Hugging Face's `MBartConfig`.
///
/// The default has the default values of `MBartConfig`, which are used for keys that a file does not have.
/// The sizes of the published model are [`mbart_large_50`](Self::mbart_large_50). Keys that do not change
/// what a decoder computes are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, expecting = "a JSON object")]
pub struct MBartDecoderConfig {
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Width of the hidden states.
    pub d_model: usize,
    /// Transformer layers.
    pub decoder_layers: usize,
    /// Attention heads of a layer. `d_model` is a multiple of it.
    pub decoder_attention_heads: usize,
    /// Width inside the feed-forward blocks.
    pub decoder_ffn_dim: usize,
    /// Activation inside the feed-forward blocks.
    pub activation_function: HiddenAct,
    /// Dropout rate after the embeddings, and between each block and its residual. Like the other rates, it
    /// has an effect in training only, on autodiff devices.
    pub dropout: f64,
    /// Dropout rate of the attention weights.
    pub attention_dropout: f64,
    /// Dropout rate after the activation of the feed-forward blocks.
    pub activation_dropout: f64,
    /// Share of the layers that a pass in training leaves out, each by itself (LayerDrop). It has no effect
    /// elsewhere.
    pub decoder_layerdrop: f64,
    /// The padding token. Where it is embedded, in training, its embedding gets no gradient, as in PyTorch's
    /// `Embedding` with a `padding_idx`. That matters where texts begin with it; other padding is never attended
    /// to. With a number that is no token, every embedding gets its gradient, as in Flax.
    pub pad_token_id: usize,
    /// Longest sequence, in tokens.
    pub max_position_embeddings: usize,
    /// Whether token embeddings are multiplied by `√d_model`.
    pub scale_embedding: bool,
    /// Standard deviation of fresh weights.
    pub init_std: f64,
    /// Whether the head, which scores the vocabulary, shares the table of token embeddings. Otherwise it has a
    /// separate table. Loaders set this field to `false` when a checkpoint has two tables with different values, as
    /// Hugging Face's do.
    pub tie_word_embeddings: bool,
    /// Whether a bias is added to the logits. Hugging Face has no such key: the bias is a buffer of some
    /// checkpoints, and loaders set this field when they find it.
    pub final_logits_bias: bool,
}

impl Default for MBartDecoderConfig {
    fn default() -> Self {
        Self {
            vocab_size: 50_265,
            d_model: 1024,
            decoder_layers: 12,
            decoder_attention_heads: 16,
            decoder_ffn_dim: 4096,
            activation_function: HiddenAct::Gelu,
            dropout: 0.1,
            attention_dropout: 0.0,
            activation_dropout: 0.0,
            decoder_layerdrop: 0.0,
            pad_token_id: 1,
            max_position_embeddings: 1024,
            scale_embedding: false,
            init_std: 0.02,
            tie_word_embeddings: true,
            final_logits_bias: false,
        }
    }
}

impl MBartDecoderConfig {
    /// mBART-50's decoder, which the published captioning model has: 12 layers of width 1024, and 250,054
    /// tokens.
    pub fn mbart_large_50() -> Self {
        Self {
            vocab_size: 250_054,
            scale_embedding: true,
            ..Self::default()
        }
    }

    /// Reads a Hugging Face `config.json` of an mBART model.
    ///
    /// # Errors
    /// [`ConfigError`] if the text is not a JSON object, a value has the wrong type or is out of range, or
    /// sizes contradict each other.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        Self::from_value(serde_json::from_str(json)?)
    }

    /// Reads a Hugging Face configuration that has been parsed already.
    ///
    /// # Errors
    /// [`ConfigError`] if a value has the wrong type or is out of range, or sizes contradict each other.
    pub fn from_value(value: serde_json::Value) -> Result<Self, ConfigError> {
        let config: Self = serde_json::from_value(value)?;
        config.validate()?;
        Ok(config)
    }

    /// Checks the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] if a value is out of range, or sizes contradict each other.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (name, size) in [
            ("vocab_size", self.vocab_size),
            ("d_model", self.d_model),
            ("decoder_attention_heads", self.decoder_attention_heads),
            ("decoder_ffn_dim", self.decoder_ffn_dim),
            ("max_position_embeddings", self.max_position_embeddings),
        ] {
            // The upper bound keeps products of two sizes far from overflow.
            ConfigError::check_size(name, size, 1, 1 << 24)?;
        }
        ConfigError::check_size("decoder_layers", self.decoder_layers, 0, 1000)?;
        ConfigError::check_multiple(
            ("d_model", self.d_model),
            ("decoder_attention_heads", self.decoder_attention_heads),
        )?;
        for (name, rate) in [
            ("dropout", self.dropout),
            ("attention_dropout", self.attention_dropout),
            ("activation_dropout", self.activation_dropout),
            ("decoder_layerdrop", self.decoder_layerdrop),
        ] {
            ConfigError::check_rate(name, rate)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn contradictory_and_malformed_configs_are_typed_errors() {
        for (json, message) in [
            (
                r#"{"d_model": 10, "decoder_attention_heads": 3}"#,
                "not a multiple",
            ),
            (r#"{"vocab_size": 0}"#, "vocab_size is 0"),
            (
                r#"{"activation_function": "gelu_10"}"#,
                "unknown variant `gelu_10`",
            ),
            (r#"{"d_model": "wide"}"#, "not a model configuration"),
            ("", "not a model configuration"),
        ] {
            let error = MBartDecoderConfig::from_json(json).unwrap_err();
            let error = format!("{error}: {:?}", error.source().map(ToString::to_string));
            assert!(error.contains(message), "{json}: {error}");
        }
    }

    #[test]
    fn configs_survive_a_round_trip() {
        let config = MBartDecoderConfig::mbart_large_50();
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(MBartDecoderConfig::from_json(&json).unwrap(), config);
    }
}
