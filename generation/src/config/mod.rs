use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// How to generate: the options of Hugging Face's `GenerationConfig` that this crate knows, with
/// their names, meanings and defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GenerationConfig {
    /// Hypotheses that beam search pursues at once; 1 is greedy search.
    pub num_beams: usize,
    /// Hypotheses to return per prompt, at most `num_beams`.
    pub num_return_sequences: usize,
    /// Beam search divides a hypothesis's log-probability by its generated length to this power:
    /// above 0 favours long texts, below 0 short ones.
    pub length_penalty: f64,
    /// When beam search may stop.
    pub early_stopping: EarlyStopping,
    /// Divides the scores of tokens that the text has already: above 1 discourages repetition.
    pub repetition_penalty: f64,
    /// No sequence of so many tokens comes twice; 0 allows all.
    pub no_repeat_ngram_size: usize,
    /// Sequences of tokens that never come.
    pub bad_words_ids: Vec<Vec<u32>>,
    /// Tokens that never come.
    pub suppress_tokens: Vec<u32>,
    /// Tokens that never come first, or right behind a first token that is forced.
    pub begin_suppress_tokens: Vec<u32>,
    /// Longest text in tokens, prompt included. Without it and `max_new_tokens`, 20 new tokens.
    pub max_length: Option<usize>,
    /// Most tokens to generate; takes precedence over `max_length`.
    pub max_new_tokens: Option<usize>,
    /// No end token before the text has this length, prompt included.
    pub min_length: usize,
    /// No end token before this many new tokens; takes precedence over `min_length`.
    pub min_new_tokens: Option<usize>,
    /// First token to generate, such as mBART's language code.
    pub forced_bos_token_id: Option<u32>,
    /// Tokens of which one ends a text that reaches its longest; JSON may have one, many or null.
    #[serde(deserialize_with = "one_or_many")]
    pub forced_eos_token_id: Vec<u32>,
    /// Token that generation starts from.
    pub decoder_start_token_id: Option<u32>,
    /// Token that begins a text where there is no `decoder_start_token_id`.
    pub bos_token_id: Option<u32>,
    /// Token that fills the shorter texts of a batch.
    pub pad_token_id: Option<u32>,
    /// Tokens that end a text; JSON may have one, many or null.
    #[serde(deserialize_with = "one_or_many")]
    pub eos_token_id: Vec<u32>,
}

/// The options of [`GenerationConfig`], by their Hugging Face names.
pub const OPTIONS: &[&str] = &[
    "num_beams",
    "num_return_sequences",
    "length_penalty",
    "early_stopping",
    "repetition_penalty",
    "no_repeat_ngram_size",
    "bad_words_ids",
    "suppress_tokens",
    "begin_suppress_tokens",
    "max_length",
    "max_new_tokens",
    "min_length",
    "min_new_tokens",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "decoder_start_token_id",
    "bos_token_id",
    "pad_token_id",
    "eos_token_id",
];

/// Keys of a `generation_config.json` that say nothing of what is generated, or nothing unless
/// `do_sample` is true.
#[rustfmt::skip]
const WITHOUT_EFFECT: &[&str] = &[
    "_from_model_config", "transformers_version", "use_cache", "cache_implementation",
    "return_dict_in_generate", "output_attentions", "output_hidden_states", "output_scores",
    "output_logits", "is_assistant", "num_assistant_tokens", "assistant_confidence_threshold",
    "num_assistant_tokens_schedule", "assistant_lookbehind", "target_lookbehind",
    "disable_compile", "compile_config", "low_memory",
    "temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff",
];

/// Values of other options that ask for nothing.
const NEUTRAL_NUMBERS: &[(&str, f64)] = &[
    ("encoder_repetition_penalty", 1.0),
    ("encoder_no_repeat_ngram_size", 0.0),
    ("num_beam_groups", 1.0),
    ("diversity_penalty", 0.0),
];

const DEFAULT_NEW_TOKENS: usize = 20;

/// More beams than anyone needs; a slip of the keyboard should not exhaust the memory.
const MOST_BEAMS: usize = 1024;

/// When beam search may stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyStopping {
    /// When the best running hypothesis, as long as it is now, scores below all `num_beams`
    /// finished ones. JSON: `false`.
    #[default]
    Heuristic,
    /// As soon as `num_beams` hypotheses are finished. JSON: `true`.
    FirstFinished,
    /// When no running hypothesis can still beat the finished ones, however long it grows. JSON:
    /// `"never"`.
    Never,
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is no JSON object, or a value has the wrong type.
    #[error("not a generation configuration: {0}")]
    Json(#[from] serde_json::Error),
    /// Options that this crate does not know, with values that would change the result.
    #[error("generation options that are not supported: {}; remove them to generate without", .0.join(", "))]
    Unsupported(Vec<String>),
    /// A value is out of range, or two contradict each other.
    #[error("{0}")]
    Invalid(String),
}

impl Default for GenerationConfig {
    fn default() -> Self {
        Self {
            num_beams: 1,
            num_return_sequences: 1,
            length_penalty: 1.0,
            early_stopping: EarlyStopping::default(),
            repetition_penalty: 1.0,
            no_repeat_ngram_size: 0,
            bad_words_ids: Vec::new(),
            suppress_tokens: Vec::new(),
            begin_suppress_tokens: Vec::new(),
            max_length: None,
            max_new_tokens: None,
            min_length: 0,
            min_new_tokens: None,
            forced_bos_token_id: None,
            forced_eos_token_id: Vec::new(),
            decoder_start_token_id: None,
            bos_token_id: None,
            pad_token_id: None,
            eos_token_id: Vec::new(),
        }
    }
}

impl GenerationConfig {
    /// Reads a `generation_config.json`.
    ///
    /// # Errors
    /// [`ConfigError`] if it is no such JSON, or asks for what this crate can't do.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        Self::default().updated(&serde_json::from_str(json)?)
    }

    /// This configuration with the options of a JSON object in place of its own, as Hugging Face's
    /// `generate(**options)` does. A `null` restores the default.
    ///
    /// # Errors
    /// [`ConfigError`], likewise.
    pub fn updated(&self, options: &Map<String, Value>) -> Result<Self, ConfigError> {
        let unsupported = Self::unsupported_options(options);
        if !unsupported.is_empty() {
            return Err(ConfigError::Unsupported(unsupported));
        }
        let mut merged = match serde_json::to_value(self)? {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        for (name, value) in options {
            if value.is_null() {
                merged.remove(name);
            } else {
                merged.insert(name.clone(), value.clone());
            }
        }
        Ok(serde_json::from_value(Value::Object(merged))?)
    }

    /// The text of a `generation_config.json` with the options that are not the default.
    pub fn to_json(&self) -> String {
        let mut options = match serde_json::to_value(self) {
            Ok(Value::Object(options)) => options,
            _ => Map::new(), // numbers, flags and lists always serialise
        };
        if let Ok(Value::Object(default)) = serde_json::to_value(Self::default()) {
            options.retain(|name, value| default.get(name) != Some(value));
        }
        format!("{:#}\n", Value::Object(options))
    }

    /// The options of a JSON object that this crate does not know and that would change what is
    /// generated.
    pub fn unsupported_options(options: &Map<String, Value>) -> Vec<String> {
        let asks_for_nothing = |name: &str, value: &Value| match value {
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
                    && !asks_for_nothing(name, value)
            })
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The token that generation starts from.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if neither `decoder_start_token_id` nor `bos_token_id` is set.
    pub fn start_token(&self) -> Result<u32, ConfigError> {
        self.decoder_start_token_id
            .or(self.bos_token_id)
            .ok_or_else(|| {
                ConfigError::Invalid(
                    "no token to start from: set decoder_start_token_id (mBART-50 starts from </s>, 2)".into(),
                )
            })
    }

    /// Longest text behind a prompt of `prompt_length` tokens, both counted.
    pub fn longest(&self, prompt_length: usize) -> usize {
        match (self.max_new_tokens, self.max_length) {
            (Some(new), _) => prompt_length.saturating_add(new),
            (None, Some(length)) => length,
            (None, None) => prompt_length + DEFAULT_NEW_TOKENS,
        }
    }

    /// Length below which no text ends, prompt counted.
    pub fn shortest(&self, prompt_length: usize) -> usize {
        match self.min_new_tokens {
            Some(new) => prompt_length.saturating_add(new),
            None => self.min_length,
        }
    }

    /// Checks the options against each other and a prompt's length.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], naming the options and their values.
    pub fn validate(&self, prompt_length: usize) -> Result<(), ConfigError> {
        let invalid = |message| Err(ConfigError::Invalid(message));
        if !(1..=MOST_BEAMS).contains(&self.num_beams) {
            return invalid(format!(
                "num_beams is {}, expected 1 (greedy search) to {MOST_BEAMS}",
                self.num_beams
            ));
        }
        if !(1..=self.num_beams).contains(&self.num_return_sequences) {
            return invalid(format!(
                "num_return_sequences is {}, expected 1 to num_beams, which is {}",
                self.num_return_sequences, self.num_beams
            ));
        }
        if !self.length_penalty.is_finite() {
            return invalid(format!(
                "length_penalty is {}, expected a finite number",
                self.length_penalty
            ));
        }
        if !(self.repetition_penalty > 0.0 && self.repetition_penalty.is_finite()) {
            return invalid(format!(
                "repetition_penalty is {}, expected a finite number above 0",
                self.repetition_penalty
            ));
        }
        if self.bad_words_ids.iter().any(Vec::is_empty) {
            return invalid("bad_words_ids has a word without tokens".into());
        }
        let (shortest, longest) = (self.shortest(prompt_length), self.longest(prompt_length));
        if longest <= prompt_length {
            return invalid(format!(
                "the longest text is {longest} tokens (max_length or max_new_tokens), which leaves none to generate after a prompt of {prompt_length}"
            ));
        }
        if shortest > longest {
            return invalid(format!(
                "the shortest text, {shortest} tokens (min_length or min_new_tokens), is longer than the longest, {longest}"
            ));
        }
        Ok(())
    }
}

/// Accepts a token, a list of tokens or null.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a token id, a list of them or null")]
    enum Tokens {
        None(()),
        One(u32),
        Many(Vec<u32>),
    }
    Ok(match Tokens::deserialize(deserializer)? {
        Tokens::None(()) => Vec::new(),
        Tokens::One(token) => vec![token],
        Tokens::Many(tokens) => tokens,
    })
}

impl Serialize for EarlyStopping {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Heuristic => serializer.serialize_bool(false),
            Self::FirstFinished => serializer.serialize_bool(true),
            Self::Never => serializer.serialize_str("never"),
        }
    }
}

impl<'de> Deserialize<'de> for EarlyStopping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(false) => Ok(Self::Heuristic),
            Value::Bool(true) => Ok(Self::FirstFinished),
            Value::String(text) if text == "never" => Ok(Self::Never),
            other => Err(serde::de::Error::custom(format!(
                "early_stopping is {other}, expected true, false or \"never\""
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hugging_face_files_are_read_and_neutral_options_ignored() {
        let config = GenerationConfig::from_json(
            r#"{"_from_model_config": true, "eos_token_id": 2, "forced_eos_token_id": [2, 3],
                "early_stopping": "never", "num_beams": 5, "do_sample": false, "top_k": 50,
                "repetition_penalty": 1.0, "bad_words_ids": null, "transformers_version": "5"}"#,
        )
        .unwrap();
        assert_eq!(config.eos_token_id, [2]);
        assert_eq!(config.forced_eos_token_id, [2, 3]);
        assert_eq!(config.early_stopping, EarlyStopping::Never);
        assert_eq!(config.num_beams, 5);
        let json = config.to_json();
        assert_eq!(GenerationConfig::from_json(&json).unwrap(), config);
        assert!(!json.contains("length_penalty"), "{json}");
    }

    #[test]
    fn options_that_would_change_the_result_are_refused_by_name() {
        let json = r#"{"do_sample": true, "encoder_no_repeat_ngram_size": 3, "num_beams": 2}"#;
        let error = GenerationConfig::from_json(json).unwrap_err().to_string();
        assert!(
            error.contains("do_sample, encoder_no_repeat_ngram_size"),
            "{error}"
        );
    }

    #[test]
    fn null_restores_the_default() {
        let config = GenerationConfig {
            num_beams: 4,
            forced_eos_token_id: vec![2],
            ..GenerationConfig::default()
        };
        let options = r#"{"num_beams": null, "forced_eos_token_id": null}"#;
        let updated = config.updated(&serde_json::from_str(options).unwrap());
        assert_eq!(updated.unwrap(), GenerationConfig::default());
    }

    #[test]
    fn new_token_limits_take_precedence_over_lengths() {
        let config = GenerationConfig {
            max_length: Some(30),
            max_new_tokens: Some(5),
            min_length: 10,
            min_new_tokens: Some(2),
            ..GenerationConfig::default()
        };
        assert_eq!((config.longest(3), config.shortest(3)), (8, 5));
        assert_eq!(GenerationConfig::default().longest(1), 21);
    }

    #[test]
    fn contradictory_options_are_named() {
        let default = GenerationConfig::default;
        for (config, message) in [
            (
                GenerationConfig {
                    num_beams: 0,
                    ..default()
                },
                "num_beams is 0",
            ),
            (
                GenerationConfig {
                    num_beams: 2,
                    num_return_sequences: 3,
                    ..default()
                },
                "num_return_sequences is 3",
            ),
            (
                GenerationConfig {
                    length_penalty: f64::NAN,
                    ..default()
                },
                "length_penalty is NaN",
            ),
            (
                GenerationConfig {
                    repetition_penalty: 0.0,
                    ..default()
                },
                "repetition_penalty is 0",
            ),
            (
                GenerationConfig {
                    bad_words_ids: vec![vec![1], vec![]],
                    ..default()
                },
                "a word without tokens",
            ),
            (
                GenerationConfig {
                    max_length: Some(1),
                    ..default()
                },
                "leaves none to generate",
            ),
            (
                GenerationConfig {
                    max_length: Some(5),
                    min_length: 6,
                    ..default()
                },
                "is longer than the longest",
            ),
        ] {
            let error = config.validate(1).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        for json in [
            r#"{"early_stopping": "sometimes"}"#,
            r#"{"num_beams": -1}"#,
            "[]",
            "{",
        ] {
            let error = GenerationConfig::from_json(json);
            assert!(matches!(error, Err(ConfigError::Json(_))), "{json}");
        }
    }
}
