use burn::tensor::Device;
use packed_linear::Format;
use serde::{Deserialize, Serialize};

use crate::ClipVisionModel;

/// The sizes of a CLIP vision transformer, under the names of Hugging Face's `CLIPVisionConfig`.
///
/// The default is ViT-B/32, as there. Keys of the JSON that do not change what is computed
/// (`architectures`, `torch_dtype`, ...) are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClipVisionConfig {
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Width inside the feed-forward blocks.
    pub intermediate_size: usize,
    /// Transformer layers.
    pub num_hidden_layers: usize,
    /// Attention heads of a layer; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Channels of the input image.
    pub num_channels: usize,
    /// Height and width of the input image, in pixels.
    pub image_size: usize,
    /// Height and width of a patch, in pixels.
    pub patch_size: usize,
    /// Activation inside the feed-forward blocks.
    pub hidden_act: HiddenAct,
    /// Added to the variance in every layer norm.
    pub layer_norm_eps: f64,
    /// Standard deviation of fresh patch and position embeddings.
    pub initializer_range: f64,
    /// Multiplies the standard deviation of all fresh weights.
    pub initializer_factor: f64,
}

/// Activations that CLIP checkpoints use, under their Hugging Face names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HiddenAct {
    /// `x · sigmoid(1.702 x)`, OpenAI's.
    QuickGelu,
    /// The exact GELU, with the error function; used by LAION's checkpoints.
    Gelu,
}

/// Why a configuration is not one of a CLIP vision transformer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is no JSON, or a value has the wrong type.
    #[error("not a CLIP vision configuration: {0}")]
    Json(#[from] serde_json::Error),
    /// The values contradict each other.
    #[error("CLIP vision configuration: {0}")]
    Invalid(String),
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

    /// Reads a Hugging Face `config.json`: that of a vision model, or that of a whole CLIP model,
    /// whose vision half is then taken from `vision_config`.
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
    pub fn from_value(mut value: serde_json::Value) -> Result<Self, ConfigError> {
        if let Some(vision) = value.get_mut("vision_config") {
            value = vision.take();
        }
        let config: Self = serde_json::from_value(value)?;
        config.validate()?;
        Ok(config)
    }

    /// Positions of the output: the class token and one per patch.
    pub fn num_positions(&self) -> usize {
        let patches = self.image_size / self.patch_size;
        patches * patches + 1
    }

    /// Checks that the sizes fit together.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], naming the values.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let invalid = |message| Err(ConfigError::Invalid(message));
        for (name, size) in [
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_attention_heads", self.num_attention_heads),
            ("num_channels", self.num_channels),
            ("image_size", self.image_size),
            ("patch_size", self.patch_size),
        ] {
            // The upper bound keeps products of two sizes far from overflow.
            if !(1..=1 << 20).contains(&size) {
                return invalid(format!("{name} is {size}, expected 1 to 1048576"));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return invalid(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}",
                self.hidden_size, self.num_attention_heads
            ));
        }
        if self.patch_size > self.image_size {
            return invalid(format!(
                "patch_size {} is larger than image_size {}",
                self.patch_size, self.image_size
            ));
        }
        let pixels = self.num_channels * self.patch_size * self.patch_size; // at most 2⁶⁰
        if pixels > 1 << 20 {
            return invalid(format!(
                "num_channels {} of patch_size {} are {pixels} numbers a patch, expected at most 1048576",
                self.num_channels, self.patch_size
            ));
        }
        if self.num_hidden_layers > 1000 {
            return invalid(format!(
                "num_hidden_layers is {}, expected at most 1000",
                self.num_hidden_layers
            ));
        }
        Ok(())
    }

    /// Creates the model with fresh weights, drawn as Hugging Face draws them. Nothing is
    /// allocated until a weight is first used, so loading a checkpoint over it costs nothing extra.
    ///
    /// # Panics
    /// If [`validate`](Self::validate) would refuse the configuration.
    pub fn init(&self, device: &Device) -> ClipVisionModel {
        self.init_as(None, device)
    }

    /// Creates the model with packed weights: faster where there are kernels for them, and not to be
    /// trained. `None` is [`init`](Self::init).
    ///
    /// # Panics
    /// Likewise.
    pub fn init_as(&self, format: Option<Format>, device: &Device) -> ClipVisionModel {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        ClipVisionModel::new(self, format, device)
    }
}

#[cfg(test)]
mod tests {
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
                "50331648 numbers a patch",
            ),
            (r#"{"num_attention_heads": 0}"#, "num_attention_heads is 0"),
            (r#"{"hidden_act": "silu"}"#, "unknown variant `silu`"),
            (r#"{"hidden_size": -1}"#, "not a CLIP vision configuration"),
            ("[", "not a CLIP vision configuration"),
        ] {
            let error = ClipVisionConfig::from_json(json).unwrap_err().to_string();
            assert!(error.contains(message), "{json}: {error}");
        }
    }
}
