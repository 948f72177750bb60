use serde::{Deserialize, Serialize};
use transformer_layers::{ConfigError, HeightWidth, HiddenAct};

/// The sizes of a Swin transformer, under the names of Hugging Face's `SwinConfig` and `DonutSwinConfig`.
///
/// The default is Swin-T, as in Hugging Face. Keys of the JSON that do not change what the model computes
/// (`architectures`, `encoder_stride`, ...) are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, expecting = "a JSON object")]
pub struct SwinConfig {
    /// Which of the two models it is.
    pub model_type: SwinModelType,
    /// Width of the first stage. Each stage is twice as wide as the one before it.
    pub embed_dim: usize,
    /// Layers of each stage.
    pub depths: Vec<usize>,
    /// Attention heads of the layers of each stage. The width of a stage is a multiple of its heads.
    pub num_heads: Vec<usize>,
    /// Height and width of a window, in positions of the stage.
    pub window_size: usize,
    /// The width inside a feed-forward block, relative to the width of its stage.
    pub mlp_ratio: f64,
    /// Channels of the input image.
    pub num_channels: usize,
    /// Height and width of the input image, in pixels. The model takes images of other sizes too, unless it has
    /// absolute position embeddings.
    pub image_size: HeightWidth,
    /// Height and width of a patch, in pixels.
    pub patch_size: HeightWidth,
    /// Activation inside the feed-forward blocks.
    pub hidden_act: HiddenAct,
    /// Whether the query, key and value projections have a bias.
    pub qkv_bias: bool,
    /// Whether learned positions are added to the embeddings of patches.
    pub use_absolute_embeddings: bool,
    /// Dropout rate after the embeddings, and between blocks and their residuals. Like the other rates, it has an
    /// effect in training only, on autodiff devices.
    pub hidden_dropout_prob: f64,
    /// Dropout rate of the attention weights and, in Donut's model, after the attention.
    pub attention_probs_dropout_prob: f64,
    /// Share of the images for which the last layer leaves its attention out (stochastic depth). The rate of the
    /// layers before it rises linearly from 0.
    pub drop_path_rate: f64,
    /// Added to the variance in the layer norms of layers, and in the final one.
    pub layer_norm_eps: f64,
    /// Standard deviation of fresh weights.
    pub initializer_range: f64,
}

/// The models of this crate, under their names in the key `model_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwinModelType {
    /// Swin, with a final layer norm.
    Swin,
    /// Donut's, without one.
    DonutSwin,
}

/// At this size, a single head has as many biases as [`MOST_BIASES`] allows.
const MOST_WINDOW_SIZE: usize = 64;

/// Biases of a layer: one for each kind of window that shifting makes, each head, and each pair of a window's positions.
/// A layer computes them as one tensor, of 256 MiB at this limit; windows of 24 × 24 may have 50 heads.
const MOST_BIASES: usize = 1 << 26;

/// Kinds of windows: those that the shift wraps around in neither direction, in one of the two, and in both.
const WINDOW_KINDS: usize = 4;

impl Default for SwinConfig {
    fn default() -> Self {
        Self {
            model_type: SwinModelType::Swin,
            embed_dim: 96,
            depths: vec![2, 2, 6, 2],
            num_heads: vec![3, 6, 12, 24],
            window_size: 7,
            mlp_ratio: 4.0,
            num_channels: 3,
            image_size: HeightWidth::Square(224),
            patch_size: HeightWidth::Square(4),
            hidden_act: HiddenAct::Gelu,
            qkv_bias: true,
            use_absolute_embeddings: false,
            hidden_dropout_prob: 0.0,
            attention_probs_dropout_prob: 0.0,
            drop_path_rate: 0.1,
            layer_norm_eps: 1e-5,
            initializer_range: 0.02,
        }
    }
}

impl SwinConfig {
    /// The encoder of `naver-clova-ix/donut-base`: 2,560 × 1,920 pixels, 4,800 positions of 1024.
    pub fn donut_base() -> Self {
        Self {
            model_type: SwinModelType::DonutSwin,
            embed_dim: 128,
            depths: vec![2, 2, 14, 2],
            num_heads: vec![4, 8, 16, 32],
            window_size: 10,
            image_size: [2560, 1920].into(),
            ..Self::default()
        }
    }

    /// Reads a Hugging Face `config.json` of a Swin transformer.
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

    /// Width of the output, which is that of the last stage. Hugging Face: `hidden_size`.
    pub fn hidden_size(&self) -> usize {
        self.stage_width(self.depths.len().saturating_sub(1))
    }

    /// Width of a stage.
    pub(crate) fn stage_width(&self, stage: usize) -> usize {
        self.embed_dim << stage
    }

    /// Width inside the feed-forward blocks of a stage.
    pub(crate) fn inner_width(&self, stage: usize) -> usize {
        (self.mlp_ratio * self.stage_width(stage) as f64) as usize // rounded down, as in Python
    }

    /// Rows and columns of patches of the configured image, whose last ones may be padded.
    pub(crate) fn patches(&self) -> [usize; 2] {
        let ([height, width], [patch_height, patch_width]) =
            (self.image_size.get(), self.patch_size.get());
        [height.div_ceil(patch_height), width.div_ceil(patch_width)]
    }

    /// Checks the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] if a value is out of range, or sizes contradict each other.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let ([height, width], [patch_height, patch_width]) =
            (self.image_size.get(), self.patch_size.get());
        for (name, size) in [
            ("embed_dim", self.embed_dim),
            ("num_channels", self.num_channels),
            ("image_size", height),
            ("image_size", width),
            ("patch_size", patch_height),
            ("patch_size", patch_width),
        ] {
            // The upper bound keeps products of two sizes far from overflow.
            ConfigError::check_size(name, size, 1, 1 << 20)?;
        }
        ConfigError::check_size("window_size", self.window_size, 1, MOST_WINDOW_SIZE)?;
        let pixels = self.num_channels * patch_height * patch_width; // at most 2⁶⁰
        ConfigError::check_size("the number of values of a patch", pixels, 1, 1 << 20)?;
        self.validate_stages()?;
        if self.use_absolute_embeddings {
            self.validate_positions()?;
        }
        for (name, rate) in [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            (
                "attention_probs_dropout_prob",
                self.attention_probs_dropout_prob,
            ),
            ("drop_path_rate", self.drop_path_rate),
        ] {
            ConfigError::check_rate(name, rate)?;
        }
        ConfigError::check_epsilon("layer_norm_eps", self.layer_norm_eps)
    }

    fn validate_stages(&self) -> Result<(), ConfigError> {
        let stages = self.depths.len();
        ConfigError::check_size("the length of depths", stages, 1, 16)?;
        let heads = self.num_heads.len();
        ConfigError::check_size("the length of num_heads", heads, stages, stages)?;
        let layers = self
            .depths
            .iter()
            .fold(0, |sum: usize, depth| sum.saturating_add(*depth));
        ConfigError::check_size("the sum of depths", layers, 1, 1000)?;
        for (stage, (depth, heads)) in self.depths.iter().zip(&self.num_heads).enumerate() {
            ConfigError::check_size("an element of depths", *depth, 1, 1000)?;
            ConfigError::check_size("an element of num_heads", *heads, 1, 1 << 20)?;
            let biases = WINDOW_KINDS * heads * self.window_size.pow(4); // at most 2⁴⁶
            ConfigError::check_size("4 · num_heads · window_size⁴", biases, 1, MOST_BIASES)?;
            let width = self.stage_width(stage); // at most 2³⁵
            ConfigError::check_size("the width of a stage", width, 1, 1 << 20)?;
            ConfigError::check_multiple(
                ("the width of a stage", width),
                ("its element of num_heads", *heads),
            )?;
            let inner = self.inner_width(stage);
            ConfigError::check_size("mlp_ratio times the width of a stage", inner, 1, 1 << 24)?;
        }
        Ok(())
    }

    fn validate_positions(&self) -> Result<(), ConfigError> {
        if self.model_type == SwinModelType::DonutSwin {
            return Err(ConfigError::Unsupported {
                name: "use_absolute_embeddings",
                value: "true".into(),
                reason: "Donut's model has one position too many, so it computes nothing in transformers either",
            });
        }
        let sizes = self.image_size.get().into_iter().zip(self.patch_size.get());
        for (image, patch) in sizes {
            ConfigError::check_multiple(("image_size", image), ("patch_size", patch))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn the_width_of_the_output_doubles_with_every_stage() {
        assert_eq!(SwinConfig::default().hidden_size(), 768);
        assert_eq!(SwinConfig::donut_base().hidden_size(), 1024);
    }

    #[test]
    fn the_largest_windows_with_the_most_heads_are_allowed() {
        let json = r#"{"window_size": 24, "embed_dim": 192, "num_heads": [6, 12, 24, 48]}"#;
        assert_eq!(SwinConfig::from_json(json).unwrap().window_size, 24);
    }

    #[test]
    fn contradictory_and_malformed_configs_are_typed_errors() {
        for (json, message) in [
            (r#"{"depths": []}"#, "the length of depths is 0"),
            (r#"{"depths": [2, 2]}"#, "the length of num_heads is 4"),
            (r#"{"depths": [2, 0, 2, 2]}"#, "an element of depths is 0"),
            (
                r#"{"depths": [2, 2, 18446744073709551615, 2]}"#,
                "the sum of depths is 18446744073709551615",
            ),
            (
                r#"{"num_heads": [5, 6, 12, 24]}"#,
                "the width of a stage 96 is not a multiple of its element of num_heads 5",
            ),
            (r#"{"mlp_ratio": -1}"#, "mlp_ratio times"),
            (r#"{"window_size": 0}"#, "window_size is 0"),
            (r#"{"window_size": 65}"#, "window_size is 65"),
            (
                r#"{"window_size": 64}"#,
                "4 · num_heads · window_size⁴ is 201326592",
            ),
            (r#"{"patch_size": [4, 4, 4]}"#, "[height, width]"),
            (r#"{"layer_norm_eps": -1}"#, "layer_norm_eps is -1"),
            (r#"{"drop_path_rate": 1}"#, "drop_path_rate is 1"),
            (r#"{"hidden_act": "mish"}"#, "unknown variant `mish`"),
            (r#"{"model_type": "swinv2"}"#, "unknown variant `swinv2`"),
            (
                r#"{"use_absolute_embeddings": true, "image_size": 30}"#,
                "image_size 30 is not a multiple of patch_size 4",
            ),
            (
                r#"{"model_type": "donut-swin", "use_absolute_embeddings": true}"#,
                "use_absolute_embeddings is true, which is not supported",
            ),
            ("[", "not a model configuration"),
        ] {
            let error = SwinConfig::from_json(json).unwrap_err();
            let error = format!("{error}: {:?}", error.source().map(ToString::to_string));
            assert!(error.contains(message), "{json}: {error}");
        }
    }

    #[test]
    fn configs_survive_a_round_trip() {
        let config = SwinConfig::donut_base();
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(SwinConfig::from_json(&json).unwrap(), config);
    }
}
