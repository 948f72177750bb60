use clip_vision::ClipVisionConfig;
use mbart50_decoder::MBartDecoderConfig;
use serde_json::{Map, Value};

use burn::tensor::Device;
use generation::GenerationConfig;

use crate::{ClipVisionMBart50, VisionEncoderDecoder};

/// The sizes of a [`ClipVisionMBart50`], and the generation options that old checkpoints keep in the
/// same file.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionEncoderDecoderConfig {
    /// Sizes of the encoder.
    pub encoder: ClipVisionConfig,
    /// Sizes of the decoder.
    pub decoder: MBartDecoderConfig,
}

/// Why a configuration is not one of a [`ClipVisionMBart50`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is no JSON.
    #[error("not a model configuration: {0}")]
    Json(#[from] serde_json::Error),
    /// A part is missing or of a kind that can't be read.
    #[error("{0}")]
    Unsupported(String),
    /// The encoder's sizes.
    #[error("encoder: {0}")]
    Encoder(#[from] clip_vision::ConfigError),
    /// The decoder's sizes.
    #[error("decoder: {0}")]
    Decoder(#[from] mbart50_decoder::ConfigError),
    /// The generation options in the file.
    #[error(transparent)]
    Generation(#[from] generation::ConfigError),
}

impl VisionEncoderDecoderConfig {
    /// Reads the `config.json` of a Hugging Face `VisionEncoderDecoderModel` whose encoder is a
    /// CLIP vision model and whose decoder is mBART.
    ///
    /// # Errors
    /// [`ConfigError`], naming what was found instead.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let config: Map<String, Value> = serde_json::from_str(json)?;
        expect_type(&config, "the model", &["vision-encoder-decoder"])?;
        let encoder = part(&config, "encoder", &["clip_vision_model", "clip"])?;
        let decoder = part(&config, "decoder", &["mbart"])?;
        Ok(Self {
            encoder: ClipVisionConfig::from_value(encoder)?,
            decoder: MBartDecoderConfig::from_value(decoder)?,
        })
    }

    /// Whether the widths differ, so that the model has a projection.
    pub fn has_projection(&self) -> bool {
        self.encoder.hidden_size != self.decoder.d_model
    }

    /// Creates the model with fresh weights, which nothing is allocated for until first used.
    ///
    /// # Panics
    /// If either part's `validate` would refuse its configuration.
    pub fn init(&self, device: &Device) -> ClipVisionMBart50 {
        let model = VisionEncoderDecoder::new(self.encoder.init(device), self.decoder.init(device));
        if self.has_projection() {
            model.with_projection(self.encoder.hidden_size, self.decoder.d_model, device)
        } else {
            model
        }
    }
}

/// The generation options that transformers wrote into `config.json` before there was a
/// `generation_config.json`: the model's own, and where it has none the decoder's.
///
/// # Errors
/// [`ConfigError`] if the text is no JSON object or the options can't be used.
pub(crate) fn legacy_generation_config(json: &str) -> Result<GenerationConfig, ConfigError> {
    let config: Map<String, Value> = serde_json::from_str(json)?;
    let decoder = config.get("decoder").and_then(Value::as_object);
    let mut options = Map::new();
    for source in decoder.into_iter().chain([&config]) {
        for name in generation::OPTIONS {
            if let Some(value) = source.get(*name).filter(|value| !value.is_null()) {
                options.insert((*name).into(), value.clone());
            }
        }
    }
    Ok(GenerationConfig::default().updated(&options)?)
}

fn part(config: &Map<String, Value>, name: &str, supported: &[&str]) -> Result<Value, ConfigError> {
    match config.get(name) {
        Some(Value::Object(part)) => {
            expect_type(part, &format!("the {name}"), supported)?;
            Ok(Value::Object(part.clone()))
        }
        _ => Err(ConfigError::Unsupported(format!(
            "the configuration has no \"{name}\" object"
        ))),
    }
}

fn expect_type(
    config: &Map<String, Value>,
    what: &str,
    supported: &[&str],
) -> Result<(), ConfigError> {
    match config.get("model_type").and_then(Value::as_str) {
        Some(found) if supported.contains(&found) => Ok(()),
        found => Err(ConfigError::Unsupported(format!(
            "{what} has model_type {:?}, expected {}",
            found.unwrap_or("(none)"),
            supported.join(" or ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_architectures_are_refused_by_name() {
        for (json, message) in [
            (r#"{"model_type": "blip"}"#, "\"blip\""),
            ("{}", "(none)"),
            (
                r#"{"model_type": "vision-encoder-decoder"}"#,
                "no \"encoder\" object",
            ),
            (
                r#"{"model_type": "vision-encoder-decoder", "encoder": {"model_type": "vit"}}"#,
                "the encoder has model_type \"vit\"",
            ),
            (
                r#"{"model_type": "vision-encoder-decoder",
                    "encoder": {"model_type": "clip", "vision_config": {"patch_size": 0}}}"#,
                "decoder",
            ),
        ] {
            let error = VisionEncoderDecoderConfig::from_json(json).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }

    #[test]
    fn generation_options_of_old_files_come_from_the_model_before_the_decoder() {
        let json = r#"{"eos_token_id": 2, "max_length": null,
            "decoder": {"max_length": 200, "eos_token_id": 3, "decoder_start_token_id": 2}}"#;
        let config = legacy_generation_config(json).unwrap();
        assert_eq!(config.max_length, Some(200));
        assert_eq!(config.eos_token_id, [2]);
        assert_eq!(config.decoder_start_token_id, Some(2));
    }
}
