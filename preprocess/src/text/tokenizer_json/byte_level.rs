use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokenizers::pre_tokenizers::byte_level;

use super::component::{Place, parse};
use crate::Error;

/// The step that writes each byte as a printable character, before the model, and turns the characters into bytes again,
/// after it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with add_prefix_space")]
struct ByteLevel {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    add_prefix_space: bool,
    trim_offsets: bool,
    /// Whether a text is split into words first; files before 2022 lack it.
    use_regex: Option<bool>,
}

pub(super) fn read(place: &Place, raw: &RawValue) -> Result<byte_level::ByteLevel, Error> {
    let step: ByteLevel = parse(place, raw)?;
    Ok(byte_level::ByteLevel::new(
        step.add_prefix_space,
        step.trim_offsets,
        step.use_regex.unwrap_or(true),
    ))
}
