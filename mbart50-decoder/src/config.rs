use burn::tensor::Device;
use packed_linear::Format;
use serde::{Deserialize, Serialize};

use crate::MBartDecoder;

/// The sizes of an mBART decoder, under the names of Hugging Face's `MBartConfig`.
///
/// The default is what `MBartConfig` takes for keys that a file leaves out; the published model's
/// sizes are [`mbart_large_50`](Self::mbart_large_50). Keys that do not change what a decoder
/// computes are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MBartDecoderConfig {
    /// Tokens that the model knows.
    pub vocab_size: usize,
    /// Width of the hidden states.
    pub d_model: usize,
    /// Transformer layers.
    pub decoder_layers: usize,
    /// Attention heads of a layer; divides `d_model`.
    pub decoder_attention_heads: usize,
    /// Width inside the feed-forward blocks.
    pub decoder_ffn_dim: usize,
    /// Activation inside the feed-forward blocks.
    pub activation_function: ActivationFunction,
    /// Longest sequence, in tokens.
    pub max_position_embeddings: usize,
    /// Multiply token embeddings by `√d_model`.
    pub scale_embedding: bool,
    /// Standard deviation of fresh weights.
    pub init_std: f64,
    /// The head that scores the vocabulary is the token embedding table; otherwise it has a table
    /// of its own.
    pub tie_word_embeddings: bool,
    /// Add a bias to the logits. Not a key of Hugging Face's: there the bias is a buffer that some
    /// checkpoints hold, so loaders set this when they find it.
    pub final_logits_bias: bool,
}

/// Activations that mBART checkpoints use, under their Hugging Face names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivationFunction {
    /// The exact GELU, with the error function.
    Gelu,
    /// `max(x, 0)`.
    Relu,
}

/// Why a configuration is not one of an mBART decoder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is no JSON, or a value has the wrong type.
    #[error("not an mBART configuration: {0}")]
    Json(#[from] serde_json::Error),
    /// The values contradict each other.
    #[error("mBART configuration: {0}")]
    Invalid(String),
}

impl Default for MBartDecoderConfig {
    fn default() -> Self {
        Self {
            vocab_size: 50_265,
            d_model: 1024,
            decoder_layers: 12,
            decoder_attention_heads: 16,
            decoder_ffn_dim: 4096,
            activation_function: ActivationFunction::Gelu,
            max_position_embeddings: 1024,
            scale_embedding: false,
            init_std: 0.02,
            tie_word_embeddings: true,
            final_logits_bias: false,
        }
    }
}

impl MBartDecoderConfig {
    /// The decoder of the published captioning model, mBART-50's: 12 layers of 1024, 250,054
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
    /// [`ConfigError`] if the text is no such JSON, or its sizes contradict each other.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        Self::from_value(serde_json::from_str(json)?)
    }

    /// Like [`from_json`](Self::from_json), from JSON that is parsed already.
    ///
    /// # Errors
    /// [`ConfigError`], likewise.
    pub fn from_value(value: serde_json::Value) -> Result<Self, ConfigError> {
        let config: Self = serde_json::from_value(value)?;
        config.validate()?;
        Ok(config)
    }

    /// Checks that the sizes fit together.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], naming the values.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let invalid = |message| Err(ConfigError::Invalid(message));
        for (name, size) in [
            ("vocab_size", self.vocab_size),
            ("d_model", self.d_model),
            ("decoder_attention_heads", self.decoder_attention_heads),
            ("decoder_ffn_dim", self.decoder_ffn_dim),
            ("max_position_embeddings", self.max_position_embeddings),
        ] {
            // The upper bound keeps products of two sizes far from overflow.
            if !(1..=1 << 24).contains(&size) {
                return invalid(format!("{name} is {size}, expected 1 to 16777216"));
            }
        }
        if !self.d_model.is_multiple_of(self.decoder_attention_heads) {
            return invalid(format!(
                "d_model {} is not a multiple of decoder_attention_heads {}",
                self.d_model, self.decoder_attention_heads
            ));
        }
        if self.decoder_layers > 1000 {
            return invalid(format!(
                "decoder_layers is {}, expected at most 1000",
                self.decoder_layers
            ));
        }
        Ok(())
    }

    /// Creates the decoder with fresh weights. Nothing is allocated until a weight is first used,
    /// so loading a checkpoint over it costs nothing extra.
    ///
    /// # Panics
    /// If [`validate`](Self::validate) would refuse the configuration.
    pub fn init(&self, device: &Device) -> MBartDecoder {
        self.init_as(None, device)
    }

    /// Creates the decoder with packed weights: faster where there are kernels for them, and not to be
    /// trained. `None` is [`init`](Self::init).
    ///
    /// # Panics
    /// Likewise.
    pub fn init_as(&self, format: Option<Format>, device: &Device) -> MBartDecoder {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        MBartDecoder::new(self, format, device)
    }
}

#[cfg(test)]
mod tests {
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
                r#"{"activation_function": "silu"}"#,
                "unknown variant `silu`",
            ),
            (r#"{"d_model": "wide"}"#, "not an mBART configuration"),
            ("", "not an mBART configuration"),
        ] {
            let error = MBartDecoderConfig::from_json(json).unwrap_err().to_string();
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
