use generation::GenerationConfig;
use serde_json::{Map, Value};

use crate::ConfigError;
use crate::form::{HUGGING_FACE, PUBLISHED};

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
    let config: Map<String, Value> = serde_json::from_str(json)?;
    let published = config.get("model_type").and_then(Value::as_str) == Some(PUBLISHED.model_type);
    let (decoder, names) = match published {
        true => (PUBLISHED.decoder, SPECIAL_TOKENS),
        false => (HUGGING_FACE.decoder, generation::OPTIONS),
    };
    let decoder = config.get(decoder).and_then(Value::as_object);
    let mut options = Map::new();
    for source in decoder.into_iter().chain([&config]) {
        for name in names {
            if let Some(value) = source.get(*name).filter(|value| !value.is_null()) {
                options.insert((*name).into(), value.clone());
            }
        }
    }
    Ok(GenerationConfig::default().updated(&options)?)
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
