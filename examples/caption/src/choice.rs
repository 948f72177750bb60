//! Who chose which option of generation: the user, the checkpoint, or this program.

use std::collections::BTreeMap;

use captioning::{GenerationConfig, Ignored, OptionSource};
use serde::Serialize;
use serde_json::{Map, Value};

/// The longest list that is shown.
const LONGEST_LIST: usize = 16;

/// Options that are shown even if they have Hugging Face's default.
const ALWAYS_SHOWN: [&str; 3] = ["num_beams", "length_penalty", "num_return_sequences"];

/// Options by name, with their values and origins.
pub(crate) type OptionRecords = BTreeMap<String, OptionRecord>;

/// Where an option comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    User,
    Checkpoint,
    Default,
}

/// The value of an option and its origin.
#[derive(Debug, Serialize)]
pub(crate) struct OptionRecord {
    pub(crate) value: Value,
    pub(crate) from: Origin,
}

/// The options that somebody chose. `said` is what the user says, `checkpoint` what the checkpoint says.
pub(crate) fn records(
    options: &GenerationConfig,
    said: &[String],
    checkpoint: &GenerationConfig,
    ignored: &[Ignored],
) -> OptionRecords {
    let names = said.iter().filter_map(|setting| setting.split_once('='));
    let by_user: Vec<&str> = names.map(|(name, _)| name.trim()).collect();
    let values = values(options);
    let defaults = self::values(&GenerationConfig::default());
    let origin = |name: &str| match checkpoint.source_of(name) {
        // It may have a value that is none for us.
        _ if ignored.iter().any(|one| one.option == name) => None,
        _ if by_user.contains(&name) => Some(Origin::User),
        // Every checkpoint names its special tokens.
        OptionSource::File(_) if name.ends_with("token_id") => None,
        // Another option took its place.
        OptionSource::File(_) if values.get(name) == Some(&Value::Null) => None,
        OptionSource::File(_) => Some(Origin::Checkpoint),
        _ if ALWAYS_SHOWN.contains(&name) || values.get(name) != defaults.get(name) => {
            Some(Origin::Default)
        }
        _ => None,
    };
    let record = |(name, value): (&String, &Value)| {
        let from = origin(name)?;
        let value = match value {
            // Nobody reads more, and every picture's line of JSON has it.
            Value::Array(items) if items.len() > LONGEST_LIST => {
                format!("{} entries", items.len()).into()
            }
            value => value.clone(),
        };
        Some((name.clone(), OptionRecord { value, from }))
    };
    values.iter().filter_map(record).collect()
}

/// All options by name.
fn values(options: &GenerationConfig) -> Map<String, Value> {
    match serde_json::to_value(options) {
        Ok(Value::Object(values)) => values,
        _ => Map::new(), // unreachable: numbers, booleans and lists always serialise
    }
}
