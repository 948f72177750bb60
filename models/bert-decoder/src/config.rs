use serde::{Deserialize, Serialize};
use transformer_layers::{ConfigError, HiddenAct};

/// The sizes and options of a BERT decoder, under the names of Hugging Face's `BertConfig`.
///
/// The default has the default values of `BertConfig`, which are those of `bert-base-uncased` and are used for keys that a
/// file does not have. Keys that do not change what a decoder computes are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, expecting = "a JSON object")]
pub struct BertDecoderConfig {
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Transformer layers.
    pub num_hidden_layers: usize,
    /// Attention heads of a layer. `hidden_size` is a multiple of it.
    pub num_attention_heads: usize,
    /// Width inside the feed-forward blocks.
    pub intermediate_size: usize,
    /// Activation inside the feed-forward blocks; in BERT, not in RoBERTa, also that of the head.
    pub hidden_act: HiddenAct,
    /// Dropout rate after the embeddings, and between each block and its residual. Like the other rate, it has an effect
    /// in training only, on autodiff devices.
    pub hidden_dropout_prob: f64,
    /// Dropout rate of the attention weights.
    pub attention_probs_dropout_prob: f64,
    /// Rows of the table of positions. For BERT it is the longest sequence, in tokens; RoBERTa's first
    /// `pad_token_id + 1` rows are those of no position.
    pub max_position_embeddings: usize,
    /// Rows of the table of token types. A decoder uses the first.
    pub type_vocab_size: usize,
    /// The epsilon of layer norms.
    pub layer_norm_eps: f64,
    /// Standard deviation of fresh weights.
    pub initializer_range: f64,
    /// The padding token, if there is one. Where it is embedded, in training, its embedding gets no gradient, as in
    /// PyTorch's `Embedding` with a `padding_idx`.
    pub pad_token_id: Option<usize>,
    /// How positions are embedded.
    pub position_embedding_type: PositionEmbeddingType,
    /// Whether the head, which scores the vocabulary, shares the table of token embeddings. Otherwise it has a
    /// separate table. Loaders set this field to `false` when a checkpoint has two tables with different values, as
    /// Hugging Face's do.
    pub tie_word_embeddings: bool,
}

/// How positions are embedded. Relative positions, which few checkpoints have, are not supported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionEmbeddingType {
    /// A learned vector for each position.
    #[default]
    Absolute,
}

/// The sizes and options of a RoBERTa decoder, under the names of Hugging Face's `RobertaConfig`. XLM-RoBERTa and CamemBERT
/// are the same model.
///
/// It differs from BERT in positions, which are counted from `pad_token_id + 1`, and in the activation of the head, which
/// is always GELU. The default has the default values of `RobertaConfig`; if a file of XLM-RoBERTa or CamemBERT does not
/// have `vocab_size`, it is 30,522, as in their configurations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RobertaDecoderConfig(pub BertDecoderConfig);

impl Default for BertDecoderConfig {
    fn default() -> Self {
        Self {
            vocab_size: 30_522,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: HiddenAct::Gelu,
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
            initializer_range: 0.02,
            pad_token_id: Some(0),
            position_embedding_type: PositionEmbeddingType::Absolute,
            tie_word_embeddings: true,
        }
    }
}

impl Default for RobertaDecoderConfig {
    fn default() -> Self {
        Self(BertDecoderConfig {
            vocab_size: 50_265,
            pad_token_id: Some(1),
            ..BertDecoderConfig::default()
        })
    }
}

impl BertDecoderConfig {
    /// Reads a Hugging Face `config.json` of a BERT model.
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
            ("hidden_size", self.hidden_size),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("type_vocab_size", self.type_vocab_size),
        ] {
            // The upper bound keeps products of two sizes far from overflow.
            ConfigError::check_size(name, size, 1, 1 << 24)?;
        }
        ConfigError::check_size("num_hidden_layers", self.num_hidden_layers, 0, 1000)?;
        ConfigError::check_multiple(
            ("hidden_size", self.hidden_size),
            ("num_attention_heads", self.num_attention_heads),
        )?;
        for (name, rate) in [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            (
                "attention_probs_dropout_prob",
                self.attention_probs_dropout_prob,
            ),
        ] {
            ConfigError::check_rate(name, rate)?;
        }
        ConfigError::check_epsilon("layer_norm_eps", self.layer_norm_eps)
    }
}

impl RobertaDecoderConfig {
    /// Reads a Hugging Face `config.json` of a RoBERTa, XLM-RoBERTa or CamemBERT model.
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
        let mut keys = value;
        if let serde_json::Value::Object(keys) = &mut keys {
            // The defaults of RoBERTa that differ from BERT's.
            let defaults = Self::default().0;
            let vocab_size = match keys.get("model_type").and_then(|name| name.as_str()) {
                // Of these models, transformers has BERT's.
                Some("xlm-roberta" | "camembert") => BertDecoderConfig::default().vocab_size,
                _ => defaults.vocab_size,
            };
            keys.entry("vocab_size")
                .or_insert_with(|| vocab_size.into());
            keys.entry("pad_token_id")
                .or_insert_with(|| defaults.pad_token_id.into());
        }
        let config = Self(serde_json::from_value(keys)?);
        config.validate()?;
        Ok(config)
    }

    /// Checks the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] if a value is out of range, sizes contradict each other, or there is no padding token, which
    /// positions are counted from.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.0.validate()?;
        let Some(padding) = self.0.pad_token_id else {
            return Err(ConfigError::Unsupported {
                name: "pad_token_id",
                value: "null".into(),
                reason: "RoBERTa's positions are counted from it",
            });
        };
        ConfigError::check_size("pad_token_id", padding, 0, 1 << 24)?;
        ConfigError::check_size(
            "max_position_embeddings",
            self.0.max_position_embeddings,
            padding + 2,
            1 << 24,
        )
    }

    /// Longest sequence, in tokens.
    pub fn max_positions(&self) -> usize {
        let no_position = self.0.pad_token_id.map_or(0, |padding| padding + 1);
        self.0.max_position_embeddings.saturating_sub(no_position)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn message(error: ConfigError) -> String {
        format!("{error}: {:?}", error.source().map(ToString::to_string))
    }

    #[test]
    fn contradictory_and_malformed_configs_are_typed_errors() {
        for (json, expected) in [
            (
                r#"{"hidden_size": 10, "num_attention_heads": 3}"#,
                "not a multiple",
            ),
            (r#"{"vocab_size": 0}"#, "vocab_size is 0"),
            (r#"{"hidden_act": "mish"}"#, "unknown variant `mish`"),
            (
                r#"{"position_embedding_type": "relative_key"}"#,
                "unknown variant `relative_key`",
            ),
            (r#"{"hidden_size": "wide"}"#, "not a model configuration"),
            ("", "not a model configuration"),
        ] {
            let error = message(BertDecoderConfig::from_json(json).unwrap_err());
            assert!(error.contains(expected), "{json}: {error}");
            let error = message(RobertaDecoderConfig::from_json(json).unwrap_err());
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    #[test]
    fn roberta_counts_positions_from_its_padding_token() {
        let config =
            RobertaDecoderConfig::from_json(r#"{"max_position_embeddings": 514}"#).unwrap();
        assert_eq!(
            (config.0.pad_token_id, config.max_positions()),
            (Some(1), 512)
        );
        for (json, expected) in [
            (r#"{"pad_token_id": null}"#, "pad_token_id is null"),
            (
                r#"{"max_position_embeddings": 2}"#,
                "max_position_embeddings is 2",
            ),
        ] {
            let error = message(RobertaDecoderConfig::from_json(json).unwrap_err());
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    #[test]
    fn the_default_vocabulary_is_that_of_the_model_type() {
        for (model_type, expected) in [
            ("roberta", 50_265),
            ("xlm-roberta", 30_522),
            ("camembert", 30_522),
        ] {
            let json = format!(r#"{{"model_type": "{model_type}"}}"#);
            let config = RobertaDecoderConfig::from_json(&json).unwrap().0;
            assert_eq!(
                (config.vocab_size, config.pad_token_id),
                (expected, Some(1))
            );
        }
    }

    #[test]
    fn configs_survive_a_round_trip() {
        let config = RobertaDecoderConfig::default();
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(RobertaDecoderConfig::from_json(&json).unwrap(), config);
        assert_eq!(RobertaDecoderConfig::from_json("{}").unwrap(), config);
    }
}
