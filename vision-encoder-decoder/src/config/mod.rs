mod generation_options;
mod written;

use burn::tensor::Device;
use clip_vision::ClipVisionConfig;
use mbart50_decoder::MBartDecoderConfig;
use packed_linear::Format;
use serde_json::{Map, Value};

pub(crate) use self::generation_options::legacy_generation_config;
use self::written::TrainingKeys;
use crate::{ClipVisionMBart50, VisionEncoderDecoder};

/// The sizes of a [`ClipVisionMBart50`].
#[derive(Clone, Debug, PartialEq)]
pub struct VisionEncoderDecoderConfig {
    /// Sizes of the encoder.
    pub encoder: ClipVisionConfig,
    /// Sizes of the decoder.
    pub decoder: MBartDecoderConfig,
    /// Whether there is a linear layer between the two. Hugging Face's models have one where the
    /// widths differ, the published model has one in any case.
    pub projection: bool,
    /// What a file says of training, for the file that is written.
    training: TrainingKeys,
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

/// How the files of one kind of model name its parts.
struct Form {
    model_type: &'static str,
    encoder: &'static str,
    decoder: &'static str,
}

/// Hugging Face's `VisionEncoderDecoderModel`.
const HUGGING_FACE: Form = Form {
    model_type: "vision-encoder-decoder",
    encoder: "encoder",
    decoder: "decoder",
};

/// The model that was published in 2021.
const PUBLISHED: Form = Form {
    model_type: "clip-vision-mbart",
    encoder: "clip_vision_config",
    decoder: "mbart_config",
};

const ENCODER_TYPES: &[&str] = &["clip_vision_model", "clip"];
const DECODER_TYPES: &[&str] = &["mbart"];

impl VisionEncoderDecoderConfig {
    /// Joins the configurations of an encoder and a decoder, with a projection where their widths
    /// differ.
    pub fn new(encoder: ClipVisionConfig, decoder: MBartDecoderConfig) -> Self {
        Self {
            projection: encoder.hidden_size != decoder.d_model,
            encoder,
            decoder,
            training: TrainingKeys::default(),
        }
    }

    /// Reads the `config.json` of a Hugging Face `VisionEncoderDecoderModel` whose encoder is a
    /// CLIP vision model and whose decoder is mBART, or that of the published model.
    ///
    /// # Errors
    /// [`ConfigError`], naming what was found instead.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let config: Map<String, Value> = serde_json::from_str(json)?;
        let model_types = [HUGGING_FACE.model_type, PUBLISHED.model_type];
        let published = expect_type(&config, "the model", &model_types)? == PUBLISHED.model_type;
        let form = match published {
            true => PUBLISHED,
            false => HUGGING_FACE,
        };
        let encoder = part(&config, form.encoder, ENCODER_TYPES)?;
        let decoder = part(&config, form.decoder, DECODER_TYPES)?;
        let mut read = Self::joined(encoder, decoder)?;
        if published {
            read.projection = true;
            // Its code asks the whole model, not the decoder.
            let tied = config.get("tie_word_embeddings").and_then(Value::as_bool);
            read.decoder.tie_word_embeddings = tied.unwrap_or(true);
        }
        Ok(read)
    }

    /// Joins what the files of an encoder and of a decoder say.
    pub(crate) fn joined(encoder: Value, decoder: Value) -> Result<Self, ConfigError> {
        let training = TrainingKeys::of(&encoder, &decoder);
        Ok(Self {
            training,
            ..Self::new(
                ClipVisionConfig::from_value(encoder)?,
                MBartDecoderConfig::from_value(decoder)?,
            )
        })
    }

    /// The sizes of the published model, 547 million parameters: ViT-B/32, and the decoder of mBART-50.
    pub fn clip_vision_mbart50() -> Self {
        Self::new(
            ClipVisionConfig::vit_b_32(),
            MBartDecoderConfig::mbart_large_50(),
        )
    }

    /// A hundred tokens and two narrow layers, to try things with.
    pub fn tiny() -> Self {
        let encoder = ClipVisionConfig {
            hidden_size: 32,
            intermediate_size: 64,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            image_size: 32,
            patch_size: 8,
            ..ClipVisionConfig::vit_b_32()
        };
        let decoder = MBartDecoderConfig {
            vocab_size: 101,
            d_model: 48,
            decoder_layers: 2,
            decoder_attention_heads: 4,
            decoder_ffn_dim: 80,
            max_position_embeddings: 64,
            ..MBartDecoderConfig::mbart_large_50()
        };
        Self::new(encoder, decoder)
    }

    /// Creates the model with fresh weights, which nothing is allocated for until first used.
    ///
    /// # Panics
    /// If either part's `validate` would refuse its configuration.
    pub fn init(&self, device: &Device) -> ClipVisionMBart50 {
        self.init_as(None, device)
    }

    /// Creates the model with packed weights: faster where there are kernels for them, and not to be
    /// trained. `None` is [`init`](Self::init).
    ///
    /// # Panics
    /// Likewise.
    pub fn init_as(&self, format: Option<Format>, device: &Device) -> ClipVisionMBart50 {
        let encoder = self.encoder.init_as(format, device);
        let decoder = self.decoder.init_as(format, device);
        let model = VisionEncoderDecoder::new(encoder, decoder);
        if self.projection {
            let widths = [self.encoder.hidden_size, self.decoder.d_model];
            model.with_projection_as(widths, format, device)
        } else {
            model
        }
    }
}

/// The `config.json` of a CLIP checkpoint.
pub(crate) fn encoder_part(json: &str) -> Result<Value, ConfigError> {
    whole(json, ENCODER_TYPES)
}

/// The `config.json` of an mBART checkpoint.
pub(crate) fn decoder_part(json: &str) -> Result<Value, ConfigError> {
    whole(json, DECODER_TYPES)
}

fn whole(json: &str, supported: &[&str]) -> Result<Value, ConfigError> {
    let config: Map<String, Value> = serde_json::from_str(json)?;
    expect_type(&config, "the model", supported)?;
    Ok(Value::Object(config))
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

/// The `model_type`, which has to be one of those that are supported.
fn expect_type<'c>(
    config: &'c Map<String, Value>,
    what: &str,
    supported: &[&str],
) -> Result<&'c str, ConfigError> {
    match config.get("model_type").and_then(Value::as_str) {
        Some(found) if supported.contains(&found) => Ok(found),
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
    fn the_published_form_always_has_a_projection_and_ties_its_head_as_a_whole() {
        let json = r#"{"model_type": "clip-vision-mbart", "tie_word_embeddings": false,
            "clip_vision_config": {"model_type": "clip_vision_model", "hidden_size": 48},
            "mbart_config": {"model_type": "mbart", "d_model": 48, "dropout": 0.3}}"#;
        let config = VisionEncoderDecoderConfig::from_json(json).unwrap();
        assert!(config.projection);
        assert!(!config.decoder.tie_word_embeddings);
    }
}
