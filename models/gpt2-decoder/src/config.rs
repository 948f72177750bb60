use serde::{Deserialize, Serialize};
use transformer_layers::{ConfigError, HiddenAct, resolve_aliases};

/// The sizes and options of a GPT-2 decoder, under the names of Hugging Face's `GPT2Config`.
///
/// The default has the default values of `GPT2Config`, which are those of the smallest GPT-2 and are used for keys that a
/// file does not have. Keys that do not change what a decoder computes are ignored. That is true of
/// `reorder_and_upcast_attn` too, which computes the scores of attention in `f32` where other values have half precision:
/// here all values are `f32`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, expecting = "a JSON object")]
pub struct Gpt2DecoderConfig {
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Longest sequence, in tokens.
    pub n_positions: usize,
    /// Width of the hidden states.
    pub n_embd: usize,
    /// Transformer layers.
    pub n_layer: usize,
    /// Attention heads of a layer. `n_embd` is a multiple of it.
    pub n_head: usize,
    /// Width inside the feed-forward blocks; `None` is four times `n_embd`.
    pub n_inner: Option<usize>,
    /// Activation inside the feed-forward blocks.
    pub activation_function: HiddenAct,
    /// Dropout rate between each block and its residual. Like the other rates, it has an effect in training only, on
    /// autodiff devices.
    pub resid_pdrop: f64,
    /// Dropout rate after the embeddings.
    pub embd_pdrop: f64,
    /// Dropout rate of the attention weights.
    pub attn_pdrop: f64,
    /// The epsilon of layer norms.
    pub layer_norm_epsilon: f64,
    /// Standard deviation of fresh weights.
    pub initializer_range: f64,
    /// Whether the scores of attention are divided by the root of a head's width.
    pub scale_attn_weights: bool,
    /// Whether the scores of attention are divided by the number of the layer, which begins at 1.
    pub scale_attn_by_inverse_layer_idx: bool,
    /// Whether the head, which scores the vocabulary, shares the table of token embeddings. Otherwise it has a
    /// separate table. Loaders set this field to `false` when a checkpoint has two tables with different values, as
    /// Hugging Face's do.
    pub tie_word_embeddings: bool,
}

/// The common names that `GPT2Config` reads too, and its own.
const ALIASES: &[(&str, &str)] = &[
    ("hidden_size", "n_embd"),
    ("max_position_embeddings", "n_positions"),
    ("num_attention_heads", "n_head"),
    ("num_hidden_layers", "n_layer"),
];

impl Default for Gpt2DecoderConfig {
    fn default() -> Self {
        Self {
            vocab_size: 50_257,
            n_positions: 1024,
            n_embd: 768,
            n_layer: 12,
            n_head: 12,
            n_inner: None,
            activation_function: HiddenAct::GeluNew,
            resid_pdrop: 0.1,
            embd_pdrop: 0.1,
            attn_pdrop: 0.1,
            layer_norm_epsilon: 1e-5,
            initializer_range: 0.02,
            scale_attn_weights: true,
            scale_attn_by_inverse_layer_idx: false,
            tie_word_embeddings: true,
        }
    }
}

impl Gpt2DecoderConfig {
    /// Reads a Hugging Face `config.json` of a GPT-2 model.
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
    /// [`ConfigError`] if a value is out of range, or sizes contradict each other.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (name, size) in [
            ("vocab_size", self.vocab_size),
            ("n_positions", self.n_positions),
            ("n_embd", self.n_embd),
            ("n_head", self.n_head),
            ("n_inner", self.inner_width()),
        ] {
            // The upper bound keeps products of two sizes far from overflow.
            ConfigError::check_size(name, size, 1, 1 << 24)?;
        }
        ConfigError::check_size("n_layer", self.n_layer, 0, 1000)?;
        ConfigError::check_multiple(("n_embd", self.n_embd), ("n_head", self.n_head))?;
        for (name, rate) in [
            ("resid_pdrop", self.resid_pdrop),
            ("embd_pdrop", self.embd_pdrop),
            ("attn_pdrop", self.attn_pdrop),
        ] {
            ConfigError::check_rate(name, rate)?;
        }
        ConfigError::check_epsilon("layer_norm_epsilon", self.layer_norm_epsilon)
    }

    /// Width inside the feed-forward blocks.
    pub(crate) fn inner_width(&self) -> usize {
        self.n_inner.unwrap_or(self.n_embd.saturating_mul(4))
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn contradictory_and_malformed_configs_are_typed_errors() {
        for (json, message) in [
            (r#"{"n_embd": 10, "n_head": 3}"#, "not a multiple"),
            (r#"{"vocab_size": 0}"#, "vocab_size is 0"),
            (r#"{"n_inner": 0}"#, "n_inner is 0"),
            (r#"{"layer_norm_epsilon": -1}"#, "layer_norm_epsilon is -1"),
            (
                r#"{"activation_function": "gelu_10"}"#,
                "unknown variant `gelu_10`",
            ),
            (r#"{"n_embd": "wide"}"#, "not a model configuration"),
            ("", "not a model configuration"),
        ] {
            let error = Gpt2DecoderConfig::from_json(json).unwrap_err();
            let error = format!("{error}: {:?}", error.source().map(ToString::to_string));
            assert!(error.contains(message), "{json}: {error}");
        }
    }

    #[test]
    fn common_names_of_options_count_before_the_models_own() {
        let json = r#"{"hidden_size": 64, "n_embd": 32, "num_attention_heads": 4,
            "num_hidden_layers": 3, "max_position_embeddings": 20}"#;
        let config = Gpt2DecoderConfig::from_json(json).unwrap();
        assert_eq!((config.n_embd, config.n_head), (64, 4));
        assert_eq!((config.n_layer, config.n_positions), (3, 20));
    }

    #[test]
    fn configs_survive_a_round_trip() {
        let config = Gpt2DecoderConfig {
            n_inner: Some(5),
            scale_attn_weights: false,
            ..Gpt2DecoderConfig::default()
        };
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(Gpt2DecoderConfig::from_json(&json).unwrap(), config);
    }
}
