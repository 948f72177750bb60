use std::borrow::Cow;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use whole_files::python_json;

use super::origin::{Ignored, IgnoredReason, Remembered};
use super::table::known;
use super::{ConfigError, GenerationConfig, OPTIONS, Origin};

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
    "low_memory", "remove_invalid_values",
];

/// Keys that would change what transformers generates from an image, and that are not supported.
const CHANGING: &[&str] = &[
    "constraints",
    "dola_layers",
    "guidance_scale",
    "token_healing",
    "watermarking_config",
];

/// Keys that concern the tokens of an encoder, which transformers ignores for images.
const OF_ENCODER_TEXT: &[&str] = &["encoder_repetition_penalty", "encoder_no_repeat_ngram_size"];

/// Values of unsupported options that have no effect.
const NEUTRAL_NUMBERS: &[(&str, f64)] = &[
    ("encoder_repetition_penalty", 1.0),
    ("encoder_no_repeat_ngram_size", 0.0),
    ("guidance_scale", 1.0),
];

impl GenerationConfig {
    /// Reads a `generation_config.json`, with the numbers that only Python's JSON has, as transformers does. A `null`
    /// is the default. Keys that no option has are [ignored](Self::ignored). An option whose value can't be read is an
    /// error only where it is used.
    ///
    /// # Errors
    /// [`ConfigError`] if the text is not a JSON object, or has an option that would change what is generated and is
    /// not supported.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        Self::default().with_file_options(json, |_| true)
    }

    /// This configuration with the options of a JSON object whose names are accepted. It is read like a
    /// [`generation_config.json`](Self::from_json), but a `null` leaves an option as it is.
    ///
    /// # Errors
    /// [`ConfigError`] if the text is not a JSON object, or has an accepted option that would change what is generated
    /// and is not supported.
    pub fn with_file_options(
        &self,
        json: &str,
        accepts: impl Fn(&str) -> bool,
    ) -> Result<Self, ConfigError> {
        let json = python_json::standard(json);
        let Entries(mut entries) = serde_json::from_str(&json)?;
        entries.retain(|(name, _)| accepts(name));
        // Of equal keys, the last counts.
        entries.reverse();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b)); // stable
        entries.dedup_by(|(later, _), (kept, _)| later == kept);
        entries.retain(|(_, text)| text.get() != "null");

        let mut changed = self.clone();
        let mut file = match changed.origin.0.take() {
            Some(known) => Arc::unwrap_or_clone(known),
            None => Remembered::default(),
        };
        let mut unsupported = Vec::new();
        for (name, text) in &entries {
            let text = text.get();
            let Some(option) = known(name) else {
                match outside(name, text) {
                    Outside::Neutral => {}
                    Outside::Ignored(reason) => file.ignored.push(Ignored {
                        option: name.clone().into_owned(),
                        reason,
                    }),
                    Outside::Unsupported => unsupported.push(name.clone().into_owned()),
                }
                continue;
            };
            file.unreadable.remove(option);
            file.said.retain(|said| *said != option);
            if !file.set.contains(&option) {
                file.set.push(option);
            }
            match changed.read(option, text) {
                Err(unreadable) => {
                    changed.copy(option, &Self::default());
                    file.unreadable.insert(option, unreadable);
                }
                Ok(()) => file.ignored.extend(read_otherwise(option, text)),
            }
        }
        if !unsupported.is_empty() {
            return Err(ConfigError::Unsupported(unsupported));
        }
        file.values = changed.clone();
        changed.origin = Origin(Some(Arc::new(file)));
        Ok(changed)
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
        let mut updated = self.clone();
        for (name, value) in options {
            let Some(option) = known(name) else { continue };
            match value {
                Value::Null => updated.copy(option, &Self::default()),
                value => updated
                    .read(option, &value.to_string())
                    .map_err(|unreadable| ConfigError::value(option, &unreadable))?,
            }
            // What the file had there no longer counts.
            let origin = Arc::make_mut(updated.origin.0.get_or_insert_default());
            origin.unreadable.remove(option);
            origin.set.retain(|set| *set != option);
            origin.said.retain(|said| *said != option);
            if !value.is_null() {
                origin.said.push(option);
            }
        }
        Ok(updated)
    }

    /// This configuration with some options replaced by command-line settings, each `NAME=VALUE`. A
    /// value that is not JSON is taken as a string.
    ///
    /// # Errors
    /// [`ConfigError`] if a setting has no `=`, if an option has a value of the wrong type or is not supported, and if
    /// one of `top_p`, `min_p`, `top_h` and `typical_p` is set to what is no share.
    pub fn with_settings<S: AsRef<str>>(&self, settings: &[S]) -> Result<Self, ConfigError> {
        let option = |setting: &S| {
            let setting = setting.as_ref();
            let (name, value) = setting
                .split_once('=')
                .ok_or_else(|| ConfigError::Setting(setting.into()))?;
            let value = serde_json::from_str(&python_json::standard(value))
                .unwrap_or_else(|_| value.into());
            Ok((name.trim().to_owned(), value))
        };
        let options: Map<String, Value> = settings
            .iter()
            .map(option)
            .collect::<Result<_, ConfigError>>()?;
        // Whatever its value: nobody writes the name of an option that does not exist on purpose.
        let lists = [OPTIONS, WITHOUT_EFFECT, CHANGING, OF_ENCODER_TEXT];
        let is_known = |name: &str| lists.iter().any(|names| names.contains(&name));
        let unknown = options.keys().filter(|name| !is_known(name));
        let unknown: Vec<String> = unknown.cloned().collect();
        if !unknown.is_empty() {
            return Err(ConfigError::Unsupported(unknown));
        }
        let changed = self.updated(&options)?;
        changed.check_shares(&options)?;
        Ok(changed)
    }

    /// Checks shares that a person sets. A file may have values without a meaning where an option is not used, but from
    /// a person they are a mistake.
    fn check_shares(&self, set: &Map<String, Value>) -> Result<(), ConfigError> {
        let shares = [
            ("top_p", Some(self.top_p)),
            ("min_p", self.min_p),
            ("top_h", self.top_h),
            ("typical_p", Some(self.typical_p)),
        ];
        for (option, share) in shares {
            let value = share.filter(|share| !(0.0..=1.0).contains(share));
            if let Some(value) = value.filter(|_| set.contains_key(option)) {
                let expected = "0 to 1".into();
                return Err(ConfigError::OutOfRange {
                    option,
                    value,
                    expected,
                });
            }
        }
        Ok(())
    }

    /// The text of a `generation_config.json` with all options that differ from their defaults, and those whose values
    /// could not be read as they were. NaN and infinity are written as Python reads them.
    pub fn to_json(&self) -> String {
        let default = Self::default();
        let mut lines: Vec<String> = OPTIONS
            .iter()
            .filter_map(|name| match self.unreadable(name) {
                Some(unreadable) => Some(format!("  \"{name}\": {}", unreadable.written)),
                None if self.has_same(name, &default) => None,
                None => Some(format!("  \"{name}\": {}", self.written(name))),
            })
            .collect();
        lines.sort_unstable();
        match lines.is_empty() {
            true => "{}\n".into(),
            false => format!("{{\n{}\n}}\n", lines.join(",\n")),
        }
    }

    /// The names of the options whose values differ from those of `other`.
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let mut names: Vec<String> = OPTIONS
            .iter()
            .filter(|name| !self.has_same(name, other))
            .map(|name| (*name).to_owned())
            .collect();
        names.sort_unstable();
        names
    }

    /// The names of the options of a JSON object that this crate does not support and that would
    /// change what is generated.
    pub fn unsupported_options(options: &Map<String, Value>) -> Vec<String> {
        options
            .iter()
            .filter(|(name, value)| {
                let name = name.as_str();
                !OPTIONS.contains(&name)
                    && !WITHOUT_EFFECT.contains(&name)
                    && !is_neutral(name, &value.to_string())
            })
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// The keys of a JSON object with the texts of their values, in the order of the file: no tree of values is built of
/// what nobody asks for.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Entries<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object of options")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(Key(name)) = map.next_key()? {
                    entries.push((name, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// What a key means that is no option.
enum Outside {
    Neutral,
    Ignored(IgnoredReason),
    Unsupported,
}

fn outside(name: &str, text: &str) -> Outside {
    match name {
        _ if WITHOUT_EFFECT.contains(&name) || is_neutral(name, text) => Outside::Neutral,
        _ if CHANGING.contains(&name) => Outside::Unsupported,
        _ if OF_ENCODER_TEXT.contains(&name) => Outside::Ignored(IgnoredReason::EncoderText),
        _ => Outside::Ignored(IgnoredReason::Unknown),
    }
}

/// Whether the value of an unsupported option has no effect.
fn is_neutral(name: &str, text: &str) -> bool {
    let number = text.parse::<f64>().ok();
    let is_neutral_number = || {
        NEUTRAL_NUMBERS
            .iter()
            .any(|(known, neutral)| *known == name && number == Some(*neutral))
    };
    let is_empty = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|inside| inside.trim().is_empty());
    matches!(text, "null" | "false") || is_empty || is_neutral_number()
}

/// What to say of a value that was read, but means something else than it seems to.
fn read_otherwise(option: &str, text: &str) -> Option<Ignored> {
    let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let reason = match option {
        "early_stopping" if is_number => IgnoredReason::NotTrue,
        "renormalize_logits" if !matches!(text, "true" | "false") => IgnoredReason::NotTrue,
        "eos_token_id" | "suppress_tokens" | "begin_suppress_tokens" if text.contains('-') => {
            IgnoredReason::NoSuchTokens
        }
        "no_repeat_ngram_size" | "num_beam_groups" | "min_length" | "min_new_tokens"
            if text.starts_with('-') =>
        {
            IgnoredReason::Off
        }
        _ => return None,
    };
    Some(Ignored {
        option: option.into(),
        reason,
    })
}
