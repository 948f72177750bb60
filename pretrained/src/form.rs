//! The forms of `config.json`: how they name the encoder and the decoder.

use crate::ConfigError;
use crate::json::Entries;
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
    /// The form of a configuration, and the texts of its encoder and decoder. A configuration without a `model_type`,
    /// which Hugging Face's class reads too, has the form whose parts it has.
    pub(crate) fn of(config: &str) -> Result<(Self, [&str; 2]), ConfigError> {
        let keys = FORMS.iter().flat_map(|form| [form.encoder, form.decoder]);
        let config = Entries::of(config, keys.chain(["model_type"]))?;
        let has_parts = |form: &Self| {
            let parts = [form.encoder, form.decoder];
            parts.iter().all(|part| config.object(part).is_some())
        };
        let form = match config.text("model_type") {
            Some(_) => {
                let name = config.string("model_type");
                FORMS
                    .into_iter()
                    .find(|form| name.as_deref() == Some(form.model_type))
            }
            None => FORMS.into_iter().find(has_parts),
        };
        let Some(form) = form else {
            let found = ModelType::of("the model", config.string("model_type"));
            return Err(found.unsupported(FORMS.map(|form| form.model_type).to_vec()));
        };
        let part = |name| {
            let part = config.object(name);
            part.ok_or(ConfigError::MissingPart { name })
        };
        Ok((form, [part(form.encoder)?, part(form.decoder)?]))
    }
}
