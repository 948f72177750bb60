//! The forms of `config.json`: how they name the encoder and the decoder.

use serde_json::{Map, Value};

use crate::ConfigError;
use crate::model_type::ModelType;

/// A form of `config.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// The value of the key `model_type`.
    pub(crate) model_type: &'static str,
    /// The key of the encoder's configuration.
    pub(crate) encoder: &'static str,
    /// The key of the decoder's configuration.
    pub(crate) decoder: &'static str,
}

/// That of Hugging Face's `VisionEncoderDecoderModel`.
pub(crate) const HUGGING_FACE: Form = Form {
    model_type: "vision-encoder-decoder",
    encoder: "encoder",
    decoder: "decoder",
};

/// That of the model published in 2021.
pub(crate) const PUBLISHED: Form = Form {
    model_type: "clip-vision-mbart",
    encoder: "clip_vision_config",
    decoder: "mbart_config",
};

const FORMS: [Form; 2] = [HUGGING_FACE, PUBLISHED];

impl Form {
    /// The form of a configuration.
    pub(crate) fn of(config: &Map<String, Value>) -> Result<Self, ConfigError> {
        let found = ModelType::of("the model", config.get("model_type"));
        let form = FORMS.into_iter().find(|form| form.model_type == found.name);
        let known = || FORMS.map(|form| form.model_type).to_vec();
        form.ok_or_else(|| found.unsupported(known()))
    }

    /// The configuration of a part.
    pub(crate) fn part(
        &self,
        config: &Map<String, Value>,
        name: &'static str,
    ) -> Result<Map<String, Value>, ConfigError> {
        match config.get(name) {
            Some(Value::Object(part)) => Ok(part.clone()),
            _ => Err(ConfigError::MissingPart { name }),
        }
    }
}
