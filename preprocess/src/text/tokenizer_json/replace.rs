use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokenizers::normalizers::Replace;
use tokenizers::normalizers::replace::ReplacePattern;

use super::super::limits;
use super::super::quoted::quoted;
use super::component::{Place, parse};
use crate::Error;

/// A step that replaces parts of a text, before the model or after it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with pattern and content")]
pub(super) struct Replacement {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    pattern: Pattern,
    content: String,
}

/// What is replaced.
#[derive(Deserialize)]
#[serde(expecting = "an object with String or Regex")]
enum Pattern {
    String(String),
    Regex(String),
}

/// The regular expressions of published unigram tokenizers, each with the texts that they are replaced by. Each is
/// matched in time that is proportional to the text.
const REGULAR: [(&str, &[&str]); 6] = [
    (" {2,}", &[" ", "▁"]),
    (r"\s{2,}|[\n\r\t]", &[" "]),
    (r"[\n\r\t]", &[" "]),
    (r"\n", &[" "]),
    (r"\A +| +\z", &[""]),
    (r"\A▁", &["▁▁"]),
];

impl Replacement {
    /// Reads a step that takes time in proportion to the text and makes it no longer.
    pub(super) fn read(place: &Place, raw: &RawValue) -> Result<Self, Error> {
        let step: Self = parse(place, raw)?;
        match &step.pattern {
            Pattern::String(text) => check_text(place, text, &step.content)?,
            Pattern::Regex(pattern) => check_regular(place, pattern, &step.content)?,
        }
        Ok(step)
    }

    pub(super) fn is_regular(&self) -> bool {
        matches!(self.pattern, Pattern::Regex(_))
    }

    pub(super) fn build(self) -> Result<Replace, Error> {
        let pattern = match self.pattern {
            Pattern::String(text) => ReplacePattern::String(text),
            Pattern::Regex(pattern) => ReplacePattern::Regex(pattern),
        };
        Replace::new(pattern, self.content).map_err(Error::Tokenize)
    }
}

fn check_text(place: &Place, text: &str, content: &str) -> Result<(), Error> {
    let [characters, replacement] = [text, content].map(|text| text.chars().count());
    if characters == 0 || characters > limits::STEP_CHARACTERS {
        return Err(place.refuse(
            format!(
                "a text of 1 to {} characters to replace",
                limits::STEP_CHARACTERS
            ),
            format!("one of {characters}"),
        ));
    }
    match replacement > characters {
        true => Err(place.refuse(
            format!("a replacement of at most the {characters} characters that it replaces"),
            format!("one of {replacement}"),
        )),
        false => Ok(()),
    }
}

fn check_regular(place: &Place, pattern: &str, content: &str) -> Result<(), Error> {
    let Some((_, contents)) = REGULAR.iter().find(|(known, _)| *known == pattern) else {
        let known = REGULAR.map(|(known, _)| quoted(known));
        return Err(place.refuse(
            format!(
                "one of the regular expressions of published tokenizers, {}",
                known.join(", ")
            ),
            quoted(pattern),
        ));
    };
    match contents.contains(&content) {
        true => Ok(()),
        false => {
            let contents: Vec<_> = contents.iter().map(|content| quoted(content)).collect();
            Err(place.refuse(
                format!("{} replaced by {}", quoted(pattern), contents.join(" or ")),
                quoted(content),
            ))
        }
    }
}
