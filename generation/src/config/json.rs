use serde_json::{Map, Value};

use super::{ConfigError, GenerationConfig, OPTIONS};

/// Keys of a `generation_config.json` that do not change what is generated.
#[rustfmt::skip]
const WITHOUT_EFFECT: &[&str] = &[
    "_from_model_config", "_commit_hash", "transformers_version", "use_cache", "cache_implementation",
    "cache_config", "max_cache_len", "prefill_chunk_size", "continuous_batching_config",
    "return_dict_in_generate", "output_attentions", "output_hidden_states", "output_scores",
    "output_logits", "use_mtp", "is_assistant", "num_assistant_tokens",
    "assistant_confidence_threshold", "num_assistant_tokens_schedule", "assistant_lookbehind",
    "assistant_early_exit", "assistant_ensemble_weight", "speculation_type", "target_lookbehind",
    "prompt_lookup_num_tokens", "max_matching_ngram_size", "disable_compile", "compile_config",
    "low_memory",
];

/// Values of unsupported options that have no effect.
const NEUTRAL_NUMBERS: &[(&str, f64)] = &[
    ("encoder_repetition_penalty", 1.0),
    ("encoder_no_repeat_ngram_size", 0.0),
    ("guidance_scale", 1.0),
];

impl GenerationConfig {
    /// Reads a `generation_config.json`.
    ///
    /// # Errors
    /// [`ConfigError`] if the text is not a JSON object, an option has a value of the wrong type, or
    /// an option is not supported.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        Self::default().updated(&serde_json::from_str(json)?)
    }

    /// This configuration with some options replaced by those of a JSON object, like Hugging Face's
    /// `generate(**options)`. A `null` restores the default.
    ///
    /// # Errors
    /// [`ConfigError`] if an option has a value of the wrong type or is not supported.
    pub fn updated(&self, options: &Map<String, Value>) -> Result<Self, ConfigError> {
        let unsupported = Self::unsupported_options(options);
        if !unsupported.is_empty() {
            return Err(ConfigError::Unsupported(unsupported));
        }
        for (name, value) in options {
            // One at a time, so that an error can name the option.
            let alone = Map::from_iter([(name.clone(), value.clone())]);
            if !value.is_null() {
                serde_json::from_value::<Self>(Value::Object(alone)).map_err(|source| {
                    ConfigError::Value {
                        option: name.clone(),
                        source,
                    }
                })?;
            }
        }
        let mut merged = self.options();
        for (name, value) in options {
            if value.is_null() {
                merged.remove(name);
            } else {
                merged.insert(name.clone(), value.clone());
            }
        }
        Ok(serde_json::from_value(Value::Object(merged))?)
    }

    /// This configuration with some options replaced by command-line settings, each `NAME=VALUE`. A
    /// value that is not JSON is taken as a string.
    ///
    /// # Errors
    /// [`ConfigError`] if a setting has no `=`, or an option has a value of the wrong type or is not
    /// supported.
    pub fn with_settings<S: AsRef<str>>(&self, settings: &[S]) -> Result<Self, ConfigError> {
        let option = |setting: &S| {
            let setting = setting.as_ref();
            let (name, value) = setting
                .split_once('=')
                .ok_or_else(|| ConfigError::Setting(setting.into()))?;
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            Ok((name.trim().to_owned(), value))
        };
        let options: Map<String, Value> = settings
            .iter()
            .map(option)
            .collect::<Result<_, ConfigError>>()?;
        match options.is_empty() {
            true => Ok(self.clone()), // keeps values that JSON does not have, such as NaN
            false => self.updated(&options),
        }
    }

    /// The text of a `generation_config.json` with all options that differ from their defaults.
    pub fn to_json(&self) -> String {
        let mut options = self.options();
        let default = Self::default().options();
        options.retain(|name, value| default.get(name) != Some(value));
        format!("{:#}\n", Value::Object(options))
    }

    /// All options by name.
    fn options(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(options)) => options,
            _ => Map::new(), // unreachable: numbers, booleans and lists always serialise
        }
    }

    /// The names of the options whose values differ from those of `other`.
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let others = other.options();
        let mut mine = self.options();
        mine.retain(|name, value| others.get(name) != Some(value));
        mine.into_iter().map(|(name, _)| name).collect()
    }

    /// The names of the options of a JSON object that this crate does not support and that would
    /// change what is generated.
    pub fn unsupported_options(options: &Map<String, Value>) -> Vec<String> {
        let has_no_effect = |name: &str, value: &Value| match value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(items) => items.is_empty(),
            Value::Number(number) => NEUTRAL_NUMBERS
                .iter()
                .any(|(known, neutral)| *known == name && number.as_f64() == Some(*neutral)),
            _ => false,
        };
        options
            .iter()
            .filter(|(name, value)| {
                let name = name.as_str();
                !OPTIONS.contains(&name)
                    && !WITHOUT_EFFECT.contains(&name)
                    && !has_no_effect(name, value)
            })
            .map(|(name, _)| name.clone())
            .collect()
    }
}
