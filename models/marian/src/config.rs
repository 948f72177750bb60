use packed_linear::Activation;
use serde::{Deserialize, Serialize};
use transformer_layers::{AttentionConfig, ConfigError, FeedForwardConfig};

/// The sizes of a Marian model, under the names of Hugging Face's `MarianConfig`.
///
/// The default has the default values of `MarianConfig`, which are used for keys that a file does not have. Keys that
/// do not change what the model computes are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, expecting = "a JSON object")]
pub struct MarianConfig {
    /// Tokens of the source language, and of the target language if both share a table.
    pub vocab_size: usize,
    /// Tokens of the target language, if it has its own table; by default as many as the source language.
    pub decoder_vocab_size: Option<usize>,
    /// Width of the hidden states.
    pub d_model: usize,
    /// Layers of the encoder.
    pub encoder_layers: usize,
    /// Attention heads of a layer of the encoder. `d_model` is a multiple of it.
    pub encoder_attention_heads: usize,
    /// Width inside the encoder's feed-forward blocks.
    pub encoder_ffn_dim: usize,
    /// Layers of the decoder.
    pub decoder_layers: usize,
    /// Attention heads of a layer of the decoder. `d_model` is a multiple of it.
    pub decoder_attention_heads: usize,
    /// Width inside the decoder's feed-forward blocks.
    pub decoder_ffn_dim: usize,
    /// Activation inside the feed-forward blocks.
    pub activation_function: ActivationFunction,
    /// Dropout rate after the embeddings, and between each block and its residual. Like the other rates, it has an
    /// effect in training only, on autodiff devices.
    pub dropout: f64,
    /// Dropout rate of the attention weights.
    pub attention_dropout: f64,
    /// Dropout rate after the activation of the feed-forward blocks.
    pub activation_dropout: f64,
    /// Longest text, in tokens, of either language; at least 2.
    pub max_position_embeddings: usize,
    /// Whether token embeddings are multiplied by `√d_model`.
    pub scale_embedding: bool,
    /// Standard deviation of fresh weights.
    pub init_std: f64,
    /// Whether both languages share a table of token embeddings.
    pub share_encoder_decoder_embeddings: bool,
    /// Whether the head, which scores the vocabulary, shares the decoder's table of token embeddings.
    pub tie_word_embeddings: bool,
    /// Whether a bias is added to the logits. Hugging Face has no such key: the bias is a buffer of nearly all
    /// checkpoints, and loaders set this field to `false` if they don't find it.
    #[serde(skip)]
    pub final_logits_bias: bool,
}

/// Activations that Marian checkpoints use, under their Hugging Face names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivationFunction {
    /// `x σ(x)`; used by most checkpoints.
    #[serde(alias = "silu")]
    Swish,
    /// `max(x, 0)`.
    Relu,
    /// The exact GELU, with the error function.
    Gelu,
}

/// The epsilon of layer norms, which is PyTorch's default.
pub(crate) const NORM_EPSILON: f64 = 1e-5;

impl Default for MarianConfig {
    fn default() -> Self {
        Self {
            vocab_size: 58_101,
            decoder_vocab_size: None,
            d_model: 1024,
            encoder_layers: 12,
            encoder_attention_heads: 16,
            encoder_ffn_dim: 4096,
            decoder_layers: 12,
            decoder_attention_heads: 16,
            decoder_ffn_dim: 4096,
            activation_function: ActivationFunction::Gelu,
            dropout: 0.1,
            attention_dropout: 0.0,
            activation_dropout: 0.0,
            max_position_embeddings: 1024,
            scale_embedding: false,
            init_std: 0.02,
            share_encoder_decoder_embeddings: true,
            tie_word_embeddings: true,
            final_logits_bias: true,
        }
    }
}

impl MarianConfig {
    /// The sizes of most `Helsinki-NLP/opus-mt-*` checkpoints, which differ in their vocabularies: six layers of width
    /// 512 in encoder and decoder.
    pub fn opus_mt(vocab_size: usize) -> Self {
        Self {
            vocab_size,
            d_model: 512,
            encoder_layers: 6,
            encoder_attention_heads: 8,
            encoder_ffn_dim: 2048,
            decoder_layers: 6,
            decoder_attention_heads: 8,
            decoder_ffn_dim: 2048,
            activation_function: ActivationFunction::Swish,
            max_position_embeddings: 512,
            scale_embedding: true,
            ..Self::default()
        }
    }

    /// Reads a Hugging Face `config.json` of a Marian model.
    ///
    /// # Errors
    /// [`ConfigError`] if the text is not a JSON object, a value has the wrong type or is out of range, or sizes
    /// contradict each other.
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
            ("decoder_vocab_size", self.target_vocab_size()),
            ("d_model", self.d_model),
            ("encoder_attention_heads", self.encoder_attention_heads),
            ("encoder_ffn_dim", self.encoder_ffn_dim),
            ("decoder_attention_heads", self.decoder_attention_heads),
            ("decoder_ffn_dim", self.decoder_ffn_dim),
        ] {
            // The upper bound keeps products of two sizes far from overflow.
            ConfigError::check_size(name, size, 1, 1 << 24)?;
        }
        // A language and the end token have to fit.
        let positions = self.max_position_embeddings;
        ConfigError::check_size("max_position_embeddings", positions, 2, 1 << 24)?;
        ConfigError::check_size("encoder_layers", self.encoder_layers, 0, 1000)?;
        ConfigError::check_size("decoder_layers", self.decoder_layers, 0, 1000)?;
        for heads in [
            ("encoder_attention_heads", self.encoder_attention_heads),
            ("decoder_attention_heads", self.decoder_attention_heads),
        ] {
            ConfigError::check_multiple(("d_model", self.d_model), heads)?;
        }
        for (name, rate) in [
            ("dropout", self.dropout),
            ("attention_dropout", self.attention_dropout),
            ("activation_dropout", self.activation_dropout),
        ] {
            ConfigError::check_rate(name, rate)?;
        }
        Ok(())
    }

    /// The same model with a table of token embeddings for each language, as transformers 5 has it whenever the head has
    /// its own.
    pub fn with_separate_embeddings(self) -> Self {
        Self {
            decoder_vocab_size: Some(self.target_vocab_size()),
            share_encoder_decoder_embeddings: false,
            ..self
        }
    }

    /// Tokens that the head scores.
    pub fn target_vocab_size(&self) -> usize {
        match (
            self.share_encoder_decoder_embeddings,
            self.decoder_vocab_size,
        ) {
            // Hugging Face takes 0 for no number.
            (false, Some(size)) if size > 0 => size,
            _ => self.vocab_size,
        }
    }

    /// The factor of token embeddings.
    pub(crate) fn embedding_scale(&self) -> f64 {
        match self.scale_embedding {
            true => (self.d_model as f64).sqrt(),
            false => 1.0,
        }
    }

    /// The sizes of attention with this many heads.
    pub(crate) fn attention(&self, heads: usize) -> AttentionConfig {
        AttentionConfig {
            input_std: self.init_std,
            output_std: self.init_std,
            attention_dropout: self.attention_dropout,
            dropout: self.dropout,
            ..AttentionConfig::new(self.d_model, heads)
        }
    }

    /// The sizes of feed-forward blocks with this inner width.
    pub(crate) fn feed_forward(&self, inner_width: usize) -> FeedForwardConfig {
        let activation = match self.activation_function {
            ActivationFunction::Swish => Activation::Silu,
            ActivationFunction::Relu => Activation::Relu,
            ActivationFunction::Gelu => Activation::Gelu,
        };
        FeedForwardConfig {
            input_std: self.init_std,
            output_std: self.init_std,
            activation_dropout: self.activation_dropout,
            dropout: self.dropout,
            ..FeedForwardConfig::new(self.d_model, inner_width, activation)
        }
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
                r#"{"d_model": 10, "encoder_attention_heads": 2, "decoder_attention_heads": 3}"#,
                "decoder_attention_heads 3",
            ),
            (r#"{"vocab_size": 0}"#, "vocab_size is 0"),
            (
                r#"{"max_position_embeddings": 1}"#,
                "max_position_embeddings is 1",
            ),
            (
                r#"{"activation_function": "tanh"}"#,
                "unknown variant `tanh`",
            ),
            (r#"{"dropout": 1.5}"#, "dropout is 1.5"),
            (r#"{"d_model": "wide"}"#, "not a model configuration"),
            ("", "not a model configuration"),
        ] {
            let error = MarianConfig::from_json(json).unwrap_err();
            let error = format!("{error}: {:?}", error.source().map(ToString::to_string));
            assert!(error.contains(message), "{json}: {error}");
        }
    }

    #[test]
    fn configs_survive_a_round_trip() {
        let config = MarianConfig {
            activation_function: ActivationFunction::Swish,
            decoder_vocab_size: Some(7),
            ..MarianConfig::default()
        };
        let json = serde_json::to_string(&config).unwrap();
        assert!(json.contains(r#""activation_function":"swish""#), "{json}");
        assert_eq!(MarianConfig::from_json(&json).unwrap(), config);
    }

    #[test]
    fn the_target_has_its_own_vocabulary_only_if_it_has_its_own_table() {
        let size = |json| MarianConfig::from_json(json).unwrap().target_vocab_size();
        let own = r#"{"vocab_size": 9, "decoder_vocab_size": 7,
            "share_encoder_decoder_embeddings": false}"#;
        assert_eq!(size(own), 7);
        assert_eq!(size(r#"{"vocab_size": 9, "decoder_vocab_size": 7}"#), 9);
        let unset = r#"{"vocab_size": 9, "share_encoder_decoder_embeddings": false}"#;
        assert_eq!(size(unset), 9);
    }
}
