use generation::GenerationConfig;
use whole_files::python_json;

use crate::ConfigError;
use crate::form::{HUGGING_FACE, PUBLISHED};
use crate::json::Entries;

const SPECIAL_TOKENS: &[&str] = &[
    "decoder_start_token_id",
    "bos_token_id",
    "pad_token_id",
    "eos_token_id",
];

/// The generation options in `config.json`, where transformers wrote them before there was a
/// `generation_config.json`. Options of the whole model take precedence over those of its decoder.
///
/// From the published form only the special tokens are read. Its other options are mBART's for translation,
/// which only the original code uses.
///
/// # Errors
/// [`ConfigError`] if the text is not a JSON object, or the options are invalid or not supported.
pub(crate) fn legacy_generation_config(json: &str) -> Result<GenerationConfig, ConfigError> {
    let json = python_json::standard(json);
    let parts = Entries::of(
        &json,
        ["model_type", HUGGING_FACE.decoder, PUBLISHED.decoder],
    )?;
    let is_published = match parts.string("model_type") {
        Some(name) => name == PUBLISHED.model_type,
        None => {
            parts.object(HUGGING_FACE.decoder).is_none()
                && parts.object(PUBLISHED.decoder).is_some()
        }
    };
    let (decoder, names) = match is_published {
        true => (PUBLISHED.decoder, SPECIAL_TOKENS),
        false => (HUGGING_FACE.decoder, generation::OPTIONS),
    };
    let accepts = |name: &str| names.contains(&name);
    let mut options = GenerationConfig::default();
    for source in parts.object(decoder).into_iter().chain([json.as_ref()]) {
        options = options.with_file_options(source, accepts)?;
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_model_take_precedence_over_those_of_the_decoder() {
        let json = r#"{"eos_token_id": 2, "max_length": null,
            "decoder": {"max_length": 200, "eos_token_id": 3, "decoder_start_token_id": 2}}"#;
        let config = legacy_generation_config(json).unwrap();
        assert_eq!(config.max_length, Some(200));
        assert_eq!(config.eos_token_id, [2]);
        assert_eq!(config.decoder_start_token_id, Some(2));
    }

    #[test]
    fn what_only_python_writes_is_read() {
        let json = r#"{"temperature": NaN, "x": Infinity, "decoder": {"top_p": -Infinity, "num_beams": 3.0}}"#;
        let config = legacy_generation_config(json).unwrap();
        assert!(config.temperature.is_nan());
        assert_eq!((config.top_p, config.num_beams), (f64::NEG_INFINITY, 3));
        config.validate(1).unwrap();
    }

    #[test]
    fn only_special_tokens_are_read_from_the_published_form() {
        let json = r#"{"model_type": "clip-vision-mbart", "num_beams": 1, "mbart_config":
            {"num_beams": 5, "forced_eos_token_id": 2, "eos_token_id": 2, "pad_token_id": 1}}"#;
        let expected = GenerationConfig {
            eos_token_id: vec![2],
            pad_token_id: Some(1),
            ..GenerationConfig::default()
        };
        assert_eq!(legacy_generation_config(json).unwrap(), expected);
    }
}
