use serde::{Deserialize, Serialize};
use transformer_layers::{ConfigError, HiddenAct, resolve_aliases};

/// The sizes and options of a TrOCR decoder, under the names of Hugging Face's `TrOCRConfig`.
///
/// The default has the default values of `TrOCRConfig`, which are used for keys that a file does not have. Keys that do not
/// change what a decoder computes are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, expecting = "a JSON object")]
pub struct TrocrDecoderConfig {
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
    /// Width of the memory, the output of an encoder; `None` is `d_model`.
    pub cross_attention_hidden_size: Option<usize>,
    /// Activation inside the feed-forward blocks.
    pub activation_function: HiddenAct,
    /// Longest sequence, in tokens.
    pub max_position_embeddings: usize,
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
    /// Standard deviation of fresh weights.
    pub init_std: f64,
    /// Whether token embeddings are multiplied by `√d_model`.
    pub scale_embedding: bool,
    /// Whether each position has a learned vector; otherwise it has sines and cosines.
    pub use_learned_position_embeddings: bool,
    /// Whether the sum of embeddings is normalised.
    pub layernorm_embedding: bool,
    /// The padding token, if there is one. Where it is embedded, in training, its embedding gets no gradient, as in
    /// PyTorch's `Embedding` with a `padding_idx`. Sines and cosines leave it out, and count from the number after it.
    pub pad_token_id: Option<usize>,
    /// Whether the head, which scores the vocabulary, shares the table of token embeddings. Otherwise it has a
    /// separate table. Loaders set this field to `false` when a checkpoint has two tables with different values, as
    /// Hugging Face's do.
    pub tie_word_embeddings: bool,
}

/// The common names that `TrOCRConfig` reads too, and its own.
const ALIASES: &[(&str, &str)] = &[
    ("hidden_size", "d_model"),
    ("num_attention_heads", "decoder_attention_heads"),
    ("num_hidden_layers", "decoder_layers"),
];

impl Default for TrocrDecoderConfig {
    fn default() -> Self {
        Self {
            vocab_size: 50_265,
            d_model: 1024,
            decoder_layers: 12,
            decoder_attention_heads: 16,
            decoder_ffn_dim: 4096,
            cross_attention_hidden_size: None,
            activation_function: HiddenAct::Gelu,
            max_position_embeddings: 512,
            dropout: 0.1,
            attention_dropout: 0.0,
            activation_dropout: 0.0,
            decoder_layerdrop: 0.0,
            init_std: 0.02,
            scale_embedding: false,
            use_learned_position_embeddings: true,
            layernorm_embedding: true,
            pad_token_id: Some(1),
            tie_word_embeddings: true,
        }
    }
}

impl TrocrDecoderConfig {
    /// Reads a Hugging Face `config.json` of a TrOCR decoder.
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
    pub fn from_value(mut value: serde_json::Value) -> Result<Self, ConfigError> {
        resolve_aliases(&mut value, ALIASES);
        let config: Self = serde_json::from_value(value)?;
        config.validate()?;
        Ok(config)
    }

    /// Checks the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] if a value is out of range, sizes contradict each other, or positions are sines and cosines and there
    /// is no padding token, which they are counted from.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (name, size) in [
            ("vocab_size", self.vocab_size),
            ("d_model", self.d_model),
            ("decoder_attention_heads", self.decoder_attention_heads),
            ("decoder_ffn_dim", self.decoder_ffn_dim),
            ("cross_attention_hidden_size", self.memory_width()),
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
        if self.use_learned_position_embeddings {
            return Ok(());
        }
        // The logarithms of the frequencies are equally spaced, so there are at least two.
        ConfigError::check_size("d_model", self.d_model, 4, 1 << 24)?;
        match self.pad_token_id {
            Some(padding) => ConfigError::check_size("pad_token_id", padding, 0, 1 << 24),
            None => Err(ConfigError::Unsupported {
                name: "pad_token_id",
                value: "null".into(),
                reason: "sines and cosines are counted from it",
            }),
        }
    }

    /// Width of the memory.
    pub fn memory_width(&self) -> usize {
        self.cross_attention_hidden_size.unwrap_or(self.d_model)
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
                r#"{"cross_attention_hidden_size": 0}"#,
                "cross_attention_hidden_size is 0",
            ),
            (
                r#"{"activation_function": "mish"}"#,
                "unknown variant `mish`",
            ),
            (
                r#"{"use_learned_position_embeddings": false, "pad_token_id": null}"#,
                "pad_token_id is null",
            ),
            (r#"{"d_model": "wide"}"#, "not a model configuration"),
            ("", "not a model configuration"),
        ] {
            let error = TrocrDecoderConfig::from_json(json).unwrap_err();
            let error = format!("{error}: {:?}", error.source().map(ToString::to_string));
            assert!(error.contains(message), "{json}: {error}");
        }
    }

    #[test]
    fn common_names_of_options_count_before_the_models_own() {
        let json = r#"{"hidden_size": 64, "d_model": 32, "num_attention_heads": 4, "num_hidden_layers": 3}"#;
        let config = TrocrDecoderConfig::from_json(json).unwrap();
        assert_eq!((config.d_model, config.decoder_attention_heads), (64, 4));
        assert_eq!(config.decoder_layers, 3);
    }

    #[test]
    fn configs_survive_a_round_trip() {
        let config = TrocrDecoderConfig {
            cross_attention_hidden_size: Some(768),
            ..TrocrDecoderConfig::default()
        };
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(TrocrDecoderConfig::from_json(&json).unwrap(), config);
    }
}
