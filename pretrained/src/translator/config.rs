use checkpoint::Precision;
use generation::GenerationConfig;
use marian::MarianConfig;
use serde_json::{Map, Value, json};
use whole_files::python_json;

use crate::ConfigError;
use crate::json::Entries;
use crate::model_type::ModelType;

const MODEL_TYPE: &str = "marian";

/// Keys that are not used here but saved again, for training the saved model in Python.
const KEPT_KEYS: &[&str] = &[
    "encoder_layerdrop",
    "decoder_layerdrop",
    "static_position_embeddings",
    "use_cache",
];

/// Whether a `config.json` is that of a supported model.
pub(super) fn is_supported(json: &str) -> bool {
    let json = python_json::standard(json);
    let entries = Entries::of(&json, ["model_type"]);
    let name = entries
        .ok()
        .and_then(|entries| entries.string("model_type"));
    name.as_deref() == Some(MODEL_TYPE)
}

/// Reads a `config.json`, and the keys that are saved again.
pub(super) fn read(json: &str) -> Result<(MarianConfig, Map<String, Value>), ConfigError> {
    let json = python_json::standard(json);
    let name = Entries::of(&json, ["model_type"])?.string("model_type");
    let model_type = ModelType::of("the model", name);
    if model_type.name != MODEL_TYPE {
        return Err(model_type.unsupported(vec![MODEL_TYPE]));
    }
    let own = json!(MarianConfig::default());
    let own = own.as_object().into_iter().flat_map(Map::keys);
    let used = Entries::of(&json, own.map(String::as_str))?.values()?;
    let config = MarianConfig::from_value(Value::Object(used)).map_err(ConfigError::Translator)?;
    let kept = Entries::of(&json, KEPT_KEYS.iter().copied())?.values()?;
    Ok((config, kept))
}

/// The `config.json` of a Hugging Face `MarianMTModel` whose weights are stored in `precision`.
pub(super) fn written(
    config: &MarianConfig,
    kept: &Map<String, Value>,
    generation_config: &GenerationConfig,
    precision: Precision,
) -> String {
    let mut keys = kept.clone();
    if let Value::Object(own) = json!(config) {
        keys.extend(own);
    }
    for (key, value) in [
        ("architectures", json!(["MarianMTModel"])),
        ("model_type", json!(MODEL_TYPE)),
        ("is_encoder_decoder", json!(true)),
        ("dtype", json!(precision.torch_name())),
        ("decoder_vocab_size", json!(config.target_vocab_size())),
    ] {
        keys.insert(key.into(), value);
    }
    // Transformers reads these keys here: the embeddings of padding, and the tokens that training begins with.
    let options = json!(generation_config);
    for name in [
        "bos_token_id",
        "decoder_start_token_id",
        "eos_token_id",
        "forced_eos_token_id",
        "pad_token_id",
    ] {
        let value = match &options[name] {
            Value::Array(tokens) => tokens.first().cloned().unwrap_or(Value::Null),
            other => other.clone(),
        };
        keys.insert(name.into(), value);
    }
    // A JSON value can always be serialised.
    serde_json::to_string_pretty(&keys).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_configuration_is_read_again() {
        let json = r#"{"model_type": "marian", "vocab_size": 90, "decoder_vocab_size": 70, "d_model": 32,
            "share_encoder_decoder_embeddings": false, "activation_function": "swish", "dropout": 0.3,
            "encoder_layerdrop": 0.25, "num_beams": 6, "torch_dtype": null}"#;
        let (config, kept) = read(json).unwrap();
        let options = GenerationConfig {
            eos_token_id: vec![0],
            pad_token_id: Some(69),
            ..GenerationConfig::default()
        };
        let text = written(&config, &kept, &options, Precision::F16);
        assert_eq!(read(&text).unwrap(), (config, kept));
        let text: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(text["dtype"], "float16");
        assert_eq!(text["encoder_layerdrop"], 0.25);
        assert_eq!(
            (&text["eos_token_id"], &text["pad_token_id"]),
            (&json!(0), &json!(69))
        );
        assert_eq!(text.get("num_beams"), None);
    }

    #[test]
    fn other_models_are_refused_by_name() {
        let error = read(r#"{"model_type": "t5"}"#).unwrap_err().to_string();
        assert!(error.contains("\"t5\", expected marian"), "{error}");
    }
}
