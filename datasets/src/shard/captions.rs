//! Captions of an image from the files beside it.

use preprocess::text::{Language, language};
use serde_json::{Map, Value};

use crate::SkipReason;
use crate::example::Caption;
use crate::table::unknown_language;

/// What the files beside an image say.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// From `.txt` files.
    pub(super) plain: Vec<Caption>,
    /// From a `.json` file.
    pub(super) structured: Vec<Caption>,
    pub(super) url: Option<String>,
}

pub(super) type Fault = (SkipReason, String);

/// The language that the ending of a text file names: `en` of `en.txt`. `Ok(None)` if it names none, and an error if that
/// is no language.
pub(super) fn language_of(ending: &str) -> Option<Result<Option<Language>, Fault>> {
    let before = ending.strip_suffix("txt")?;
    let Some(named) = before.strip_suffix('.') else {
        return before.is_empty().then_some(Ok(None));
    };
    let unknown = || (SkipReason::UnknownLanguage, unknown_language(named));
    Some(language(named).map(Some).ok_or_else(unknown))
}

impl Texts {
    /// Takes the content of a text file.
    pub(super) fn add_text(
        &mut self,
        content: Vec<u8>,
        language: Option<Language>,
    ) -> Result<(), Fault> {
        let text = String::from_utf8(content).map_err(|error| {
            let position = error.utf8_error().valid_up_to();
            (
                SkipReason::NotText,
                format!("caption: byte {position} is not part of a character"),
            )
        })?;
        let language = language.ok_or_else(no_language)?;
        self.plain
            .push(caption(language, text.trim_end_matches(['\n', '\r']))?);
        Ok(())
    }

    /// Takes the content of a JSON file: `caption` with `language`, as img2dataset writes it, or `captions`, which are a
    /// list or stand under their languages. With a key, what stands under it takes their place.
    pub(super) fn add_json(
        &mut self,
        content: &[u8],
        default: Option<Language>,
        key: Option<&str>,
    ) -> Result<(), Fault> {
        let malformed =
            |error: serde_json::Error| (SkipReason::Malformed, format!("JSON: {error}"));
        let object: Map<String, Value> = serde_json::from_slice(content).map_err(malformed)?;
        if let Some(Value::String(url)) = object.get("url") {
            self.url = Some(url.clone());
        }
        let named = ["language", "lang", "lang_id", "LANGUAGE"]
            .iter()
            .find_map(|key| object.get(*key)?.as_str());
        let default = match named {
            Some(named) => Some(
                language(named.trim())
                    .ok_or_else(|| (SkipReason::UnknownLanguage, unknown_language(named)))?,
            ),
            None => default,
        };
        let found = match key {
            Some(key) => object.get(key),
            None => object.get("captions").or_else(|| object.get("caption")),
        };
        found.map_or(Ok(()), |found| self.add_value(found, default))
    }

    fn add_value(&mut self, value: &Value, default: Option<Language>) -> Result<(), Fault> {
        match value {
            Value::Null => {}
            Value::String(text) => {
                // `.txt` has the same caption, with a language or without.
                if let (None, false) = (default, self.plain.is_empty()) {
                    return Ok(());
                }
                self.structured
                    .push(caption(default.ok_or_else(no_language)?, text)?);
            }
            Value::Array(values) if values.iter().all(Value::is_string) => {
                for value in values {
                    self.add_value(value, default)?;
                }
            }
            Value::Object(by_language) => {
                for (name, value) in by_language {
                    let Some(found) = language(name) else {
                        return Err((SkipReason::UnknownLanguage, unknown_language(name)));
                    };
                    if value.is_object() {
                        return Err(unexpected());
                    }
                    self.add_value(value, Some(found))?;
                }
            }
            _ => return Err(unexpected()),
        }
        Ok(())
    }

    /// All captions: those of text files if there are any, since the JSON beside them repeats them.
    pub(super) fn captions(self) -> Vec<Caption> {
        match self.plain.is_empty() {
            true => self.structured,
            false => self.plain,
        }
    }
}

fn caption(language: Language, text: &str) -> Result<Caption, Fault> {
    if let Some(position) = text.find('\0') {
        return Err((SkipReason::Nul, format!("caption: at byte {position}")));
    }
    if let Some(position) = text.find('\t') {
        return Err((SkipReason::Tab, format!("caption: at byte {position}")));
    }
    Ok(Caption {
        language,
        text: text.to_owned(),
    })
}

fn no_language() -> Fault {
    let detail = "a caption of no language: name it in the options, or as in .en.txt";
    (SkipReason::UnknownLanguage, detail.to_owned())
}

fn unexpected() -> Fault {
    let detail = "captions: expected a text, a list of texts, or these under their languages";
    (SkipReason::Malformed, detail.to_owned())
}
