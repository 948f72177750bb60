use serde::{Deserialize, Serialize};
use transformer_layers::{ConfigError, HeightWidth, HiddenAct};

/// The sizes of a ViT or a DeiT, under the names of Hugging Face's `ViTConfig` and `DeiTConfig`.
///
/// The default is ViT-B/16, as in Hugging Face. Keys of the JSON that do not change what the model computes
/// (`architectures`, `pooler_act`, ...) are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, expecting = "a JSON object")]
pub struct ViTConfig {
    /// Which of the two models it is.
    pub model_type: ViTModelType,
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Width inside the feed-forward blocks.
    pub intermediate_size: usize,
    /// Transformer layers.
    pub num_hidden_layers: usize,
    /// Attention heads of a layer. `hidden_size` is a multiple of it.
    pub num_attention_heads: usize,
    /// Channels of the input image.
    pub num_channels: usize,
    /// Height and width of the input image, in pixels.
    pub image_size: HeightWidth,
    /// Height and width of a patch, in pixels.
    pub patch_size: HeightWidth,
    /// Activation inside the feed-forward blocks.
    pub hidden_act: HiddenAct,
    /// Whether the query, key and value projections have a bias. TrOCR's encoders, which were BEiT's, have none.
    pub qkv_bias: bool,
    /// Dropout rate after the embeddings, and between each block and its residual. Like the other rate, it has an
    /// effect in training only, on autodiff devices.
    pub hidden_dropout_prob: f64,
    /// Dropout rate of the attention weights.
    pub attention_probs_dropout_prob: f64,
    /// Added to the variance in every layer norm.
    pub layer_norm_eps: f64,
    /// Standard deviation of fresh weights.
    pub initializer_range: f64,
}

/// The models of this crate, under their names in the key `model_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViTModelType {
    /// ViT, with a class token.
    Vit,
    /// DeiT, with a class token and a distillation token.
    Deit,
}

impl ViTModelType {
    /// Positions before those of the patches.
    pub(crate) fn tokens(self) -> usize {
        match self {
            Self::Vit => 1,
            Self::Deit => 2,
        }
    }
}

impl Default for ViTConfig {
    fn default() -> Self {
        Self {
            model_type: ViTModelType::Vit,
            hidden_size: 768,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            num_channels: 3,
            image_size: HeightWidth::Square(224),
            patch_size: HeightWidth::Square(16),
            hidden_act: HiddenAct::Gelu,
            qkv_bias: true,
            hidden_dropout_prob: 0.0,
            attention_probs_dropout_prob: 0.0,
            layer_norm_eps: 1e-12,
            initializer_range: 0.02,
        }
    }
}

impl ViTConfig {
    /// `google/vit-base-patch16-224`: 224 pixels, 197 positions of 768.
    pub fn base_patch16_224() -> Self {
        Self::default()
    }

    /// Reads a Hugging Face `config.json` of a ViT or a DeiT.
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

    /// Positions of the output: one for each token before the patches, and one for each patch.
    pub fn num_positions(&self) -> usize {
        let [height, width] = self.image_size.get();
        let [patch_height, patch_width] = self.patch_size.get();
        (height / patch_height) * (width / patch_width) + self.model_type.tokens()
    }

    /// Checks the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] if a value is out of range, or sizes contradict each other.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let [height, width] = self.image_size.get();
        let [patch_height, patch_width] = self.patch_size.get();
        for (name, size) in [
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_attention_heads", self.num_attention_heads),
            ("num_channels", self.num_channels),
            ("image_size", height),
            ("image_size", width),
            ("patch_size", patch_height),
            ("patch_size", patch_width),
        ] {
            // The upper bound keeps products of two sizes far from overflow.
            ConfigError::check_size(name, size, 1, 1 << 20)?;
        }
        ConfigError::check_size("num_hidden_layers", self.num_hidden_layers, 0, 1000)?;
        ConfigError::check_multiple(
            ("hidden_size", self.hidden_size),
            ("num_attention_heads", self.num_attention_heads),
        )?;
        for (value, limit) in [(patch_height, height), (patch_width, width)] {
            if value > limit {
                return Err(ConfigError::LargerThan {
                    name: "patch_size",
                    value,
                    limit_name: "image_size",
                    limit,
                });
            }
        }
        let pixels = self.num_channels * patch_height * patch_width; // at most 2⁶⁰
        ConfigError::check_size("the number of values of a patch", pixels, 1, 1 << 20)?;
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

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn images_and_patches_may_be_rectangles() {
        let json = r#"{"model_type": "deit", "image_size": [64, 50], "patch_size": [16, 8]}"#;
        let config = ViTConfig::from_json(json).unwrap();
        assert_eq!(config.num_positions(), 4 * 6 + 2); // the last two columns of pixels fill no patch
        assert_eq!(ViTConfig::base_patch16_224().num_positions(), 197);
    }

    #[test]
    fn contradictory_and_malformed_configs_are_typed_errors() {
        for (json, message) in [
            (
                r#"{"hidden_size": 10, "num_attention_heads": 3}"#,
                "not a multiple",
            ),
            (
                r#"{"image_size": [224, 8]}"#,
                "patch_size 16 is larger than image_size 8",
            ),
            (r#"{"image_size": [224]}"#, "[height, width]"),
            (
                r#"{"image_size": 4096, "patch_size": 4096}"#,
                "50331648, expected",
            ),
            (r#"{"num_attention_heads": 0}"#, "num_attention_heads is 0"),
            (r#"{"hidden_act": "mish"}"#, "unknown variant `mish`"),
            (r#"{"model_type": "beit"}"#, "unknown variant `beit`"),
            (r#"{"hidden_dropout_prob": 1}"#, "hidden_dropout_prob is 1"),
            (r#"{"layer_norm_eps": -1}"#, "layer_norm_eps is -1"),
            (r#"{"hidden_size": -1}"#, "not a model configuration"),
            ("[", "not a model configuration"),
        ] {
            let error = ViTConfig::from_json(json).unwrap_err();
            let error = format!("{error}: {:?}", error.source().map(ToString::to_string));
            assert!(error.contains(message), "{json}: {error}");
        }
    }

    #[test]
    fn configs_survive_a_round_trip() {
        let config = ViTConfig {
            model_type: ViTModelType::Deit,
            image_size: [384, 192].into(),
            qkv_bias: false,
            ..ViTConfig::default()
        };
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(ViTConfig::from_json(&json).unwrap(), config);
    }
}
