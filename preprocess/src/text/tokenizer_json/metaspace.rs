use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokenizers::pre_tokenizers::metaspace;

use super::component::{Place, parse};
use crate::Error;

/// The step that writes spaces as a visible mark, before the model, and turns the mark into spaces again, after it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a replacement")]
struct Metaspace {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    replacement: char,
    /// Older files have this in place of `prepend_scheme`, or both.
    add_prefix_space: Option<bool>,
    prepend_scheme: Option<PrependScheme>,
    split: Option<bool>,
    /// Older files repeat the replacement under this name.
    #[serde(rename = "str_rep")]
    _str_rep: Option<IgnoredAny>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase", expecting = "always, first or never")]
enum PrependScheme {
    Always,
    First,
    Never,
}

pub(super) fn read(place: &Place, raw: &RawValue) -> Result<metaspace::Metaspace, Error> {
    let step: Metaspace = parse(place, raw)?;
    let scheme = match (step.add_prefix_space, step.prepend_scheme) {
        (Some(false), None) => PrependScheme::Never,
        (_, None) => PrependScheme::Always,
        (Some(false), Some(PrependScheme::Always | PrependScheme::First)) => {
            return Err(place.refuse(
                "the same in add_prefix_space and prepend_scheme",
                "the first false and the second not \"never\"",
            ));
        }
        (_, Some(scheme)) => scheme,
    };
    let scheme = match scheme {
        PrependScheme::Always => metaspace::PrependScheme::Always,
        PrependScheme::First => metaspace::PrependScheme::First,
        PrependScheme::Never => metaspace::PrependScheme::Never,
    };
    Ok(metaspace::Metaspace::new(
        step.replacement,
        scheme,
        step.split.unwrap_or(true),
    ))
}
