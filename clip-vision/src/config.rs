use serde::{Deserialize, Serialize};
use transformer_layers::{ConfigError, HiddenAct};

/// The sizes of a CLIP vision transformer, under the names of Hugging Face's `CLIPVisionConfig`.
///
/// The default is ViT-B/32, as in Hugging Face. Keys of the JSON that do not change what the model computes
/// (`architectures`, `torch_dtype`, ...) are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, expecting = "a JSON object")]
pub struct ClipVisionConfig {
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
    pub image_size: usize,
    /// Height and width of a patch, in pixels.
    pub patch_size: usize,
    /// Activation inside the feed-forward blocks: [`QuickGelu`](HiddenAct::QuickGelu) in OpenAI's checkpoints,
    /// [`Gelu`](HiddenAct::Gelu) in LAION's.
    pub hidden_act: HiddenAct,
    /// Dropout rate of the attention weights. It has an effect in training only, on autodiff devices.
    pub attention_dropout: f64,
    /// Added to the variance in every layer norm.
    pub layer_norm_eps: f64,
    /// Standard deviation of fresh patch and position embeddings.
    pub initializer_range: f64,
    /// Multiplies the standard deviation of all fresh weights.
    pub initializer_factor: f64,
}

impl Default for ClipVisionConfig {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            num_channels: 3,
            image_size: 224,
            patch_size: 32,
            hidden_act: HiddenAct::QuickGelu,
            attention_dropout: 0.0,
            layer_norm_eps: 1e-5,
            initializer_range: 0.02,
            initializer_factor: 1.0,
        }
    }
}

impl ClipVisionConfig {
    /// `openai/clip-vit-base-patch32`: 224 pixels, 50 positions of 768.
    pub fn vit_b_32() -> Self {
        Self::default()
    }

    /// `openai/clip-vit-base-patch16`: 224 pixels, 197 positions of 768.
    pub fn vit_b_16() -> Self {
        Self {
            patch_size: 16,
            ..Self::default()
        }
    }

    /// `openai/clip-vit-large-patch14`: 224 pixels, 257 positions of 1024.
    pub fn vit_l_14() -> Self {
        Self {
            hidden_size: 1024,
            intermediate_size: 4096,
            num_hidden_layers: 24,
            num_attention_heads: 16,
            patch_size: 14,
            ..Self::default()
        }
    }

    /// Reads a Hugging Face `config.json` of a vision model, or of a whole CLIP model with its vision half in
    /// `vision_config`.
    ///
    /// # Errors
    /// [`ConfigError`] if the text is not a JSON object, a value has the wrong type or is out of range, or
    /// sizes contradict each other.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        Self::from_value(serde_json::from_str(json)?)
    }

    /// Reads a Hugging Face configuration that has been parsed already: that of a vision model, or that of a
    /// whole CLIP model with its vision half in `vision_config`.
    ///
    /// # Errors
    /// [`ConfigError`] if a value has the wrong type or is out of range, or sizes contradict each other.
    pub fn from_value(mut value: serde_json::Value) -> Result<Self, ConfigError> {
        if let Some(vision) = value.get_mut("vision_config") {
            value = vision.take();
        }
        let config: Self = serde_json::from_value(value)?;
        config.validate()?;
        Ok(config)
    }

    /// Positions of the output: one for the class token and one for each patch.
    pub fn num_positions(&self) -> usize {
        let patches = self.image_size / self.patch_size;
        patches * patches + 1
    }

    /// Checks the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] if a value is out of range, or sizes contradict each other.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (name, size) in [
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_attention_heads", self.num_attention_heads),
            ("num_channels", self.num_channels),
            ("image_size", self.image_size),
            ("patch_size", self.patch_size),
        ] {
            // The upper bound keeps products of two sizes far from overflow.
            ConfigError::check_size(name, size, 1, 1 << 20)?;
        }
        ConfigError::check_size("num_hidden_layers", self.num_hidden_layers, 0, 1000)?;
        ConfigError::check_multiple(
            ("hidden_size", self.hidden_size),
            ("num_attention_heads", self.num_attention_heads),
        )?;
        if self.patch_size > self.image_size {
            return Err(ConfigError::LargerThan {
                name: "patch_size",
                value: self.patch_size,
                limit_name: "image_size",
                limit: self.image_size,
            });
        }
        let pixels = self.num_channels * self.patch_size * self.patch_size; // at most 2⁶⁰
        ConfigError::check_size("num_channels times patch_size squared", pixels, 1, 1 << 20)?;
        ConfigError::check_rate("attention_dropout", self.attention_dropout)?;
        ConfigError::check_epsilon("layer_norm_eps", self.layer_norm_eps)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn the_vision_half_of_a_whole_clip_config_is_read() {
        let json = r#"{"model_type": "clip", "hidden_size": 1,
            "vision_config": {"hidden_size": 1024, "num_attention_heads": 16, "hidden_act": "gelu"}}"#;
        let config = ClipVisionConfig::from_json(json).unwrap();
        assert_eq!(config.hidden_size, 1024);
        assert_eq!(config.hidden_act, HiddenAct::Gelu);
        assert_eq!(config.patch_size, 32);
    }

    #[test]
    fn presets_have_the_positions_of_the_published_models() {
        assert_eq!(ClipVisionConfig::vit_b_32().num_positions(), 50);
        assert_eq!(ClipVisionConfig::vit_b_16().num_positions(), 197);
        assert_eq!(ClipVisionConfig::vit_l_14().num_positions(), 257);
    }

    #[test]
    fn contradictory_and_malformed_configs_are_typed_errors() {
        for (json, message) in [
            (
                r#"{"hidden_size": 10, "num_attention_heads": 3}"#,
                "not a multiple",
            ),
            (r#"{"image_size": 16}"#, "larger than image_size"),
            (
                r#"{"image_size": 4096, "patch_size": 4096}"#,
                "50331648, expected",
            ),
            (r#"{"num_attention_heads": 0}"#, "num_attention_heads is 0"),
            (r#"{"hidden_act": "gelu_10"}"#, "unknown variant `gelu_10`"),
            (r#"{"layer_norm_eps": -1}"#, "layer_norm_eps is -1"),
            (r#"{"hidden_size": -1}"#, "not a model configuration"),
            ("[", "not a model configuration"),
        ] {
            let error = ClipVisionConfig::from_json(json).unwrap_err();
            let error = format!("{error}: {:?}", error.source().map(ToString::to_string));
            assert!(error.contains(message), "{json}: {error}");
        }
    }
}
