//! What the small files beside a vocabulary say: `tokenizer_config.json` and the older `special_tokens_map.json` and
//! `added_tokens.json`, merged as transformers 5 merges them.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Map, Value};
use tokenizers::AddedToken;
use whole_files::{limits, python_json};

use super::added;
use super::limits::PIECES;
use super::quoted::quoted;
use super::special::SpecialToken;
use crate::Error;

pub(super) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
const ADDED_TOKENS: &str = "added_tokens.json";

/// The special tokens without a role: today's key and the older one.
const EXTRA: &str = "extra_special_tokens";
const ADDITIONAL: &str = "additional_special_tokens";

/// The options of a tokenizer. Without files, all are absent.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// The options that are read where they are used.
    values: Map<String, Value>,
    /// The special tokens that have a role.
    pub(super) named: Vec<(SpecialToken, AddedToken)>,
    /// Other special tokens.
    pub(super) extra: Vec<AddedToken>,
    /// Added tokens in the order of their ids.
    pub(super) by_id: Vec<(u32, AddedToken)>,
    /// Whether there was any file.
    pub(super) exist: bool,
}

impl Options {
    /// The options that the files of a folder give together.
    ///
    /// # Errors
    /// [`Error::Read`] if a file can't be read; [`Error::File`] around [`Error::Json`], [`Error::Config`] or
    /// [`Error::TokenizerPart`] if its content can't be used.
    pub(super) fn of_folder(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(TOKENIZER_CONFIG);
        let mut options = Self::default();
        if let Some(values) = object(&path)? {
            options = Self::read(values).map_err(|error| error.in_file(&path))?;
            options.exist = true;
        }
        // Files of today's releases say everything in one place.
        if options.values.contains_key("added_tokens_decoder") {
            return Ok(options);
        }
        let path = folder.join(SPECIAL_TOKENS_MAP);
        let mut additional = Vec::new();
        if let Some(mut values) = object(&path)? {
            options.exist = true;
            // Tokens of this list count after all others, and if they are in the next file too, they need not be special.
            let own = values.remove(ADDITIONAL);
            options
                .read_special_tokens(&values)
                .and_then(|()| list(ADDITIONAL, own.as_ref()))
                .map(|tokens| additional = tokens)
                .map_err(|error| error.in_file(&path))?;
        }
        let path = folder.join(ADDED_TOKENS);
        if let Some(values) = object(&path)? {
            options
                .read_added_tokens(&values)
                .map_err(|error| error.in_file(&path))?;
        }
        if options.extra.is_empty() {
            options.extra = additional;
        }
        Ok(options)
    }

    fn read(values: Map<String, Value>) -> Result<Self, Error> {
        let mut options = Self::default();
        options.read_special_tokens(&values)?;
        if let Some(value) = present(&values, "added_tokens_decoder") {
            const EXPECTED: &str = "an object of ids and tokens";
            let key = "added_tokens_decoder";
            let tokens = value
                .as_object()
                .ok_or_else(|| refuse(key, EXPECTED, value))?;
            for (id, value) in tokens {
                let id = id.parse().map_err(|_| refuse(key, EXPECTED, quoted(id)))?;
                let token = token(value, false).ok_or_else(|| refuse(key, EXPECTED, value))?;
                options.by_id.push((id, token));
            }
            options.by_id.sort_by_key(|(id, _)| *id);
            check(key, options.by_id.iter().map(|(_, token)| token))?;
        }
        options.values = values;
        Ok(options)
    }

    /// Reads the tokens of all roles, and adds the other special tokens. A role that is not there keeps its token.
    fn read_special_tokens(&mut self, values: &Map<String, Value>) -> Result<(), Error> {
        const EXPECTED: &str = "a token, as a text or an object with content";
        for role in SpecialToken::ALL {
            let Some(value) = present(values, role.name()) else {
                continue;
            };
            let token = token(value, true).ok_or_else(|| refuse(role.name(), EXPECTED, value))?;
            if token.content.is_empty() {
                continue;
            }
            check(role.name(), [&token])?;
            self.named.retain(|(known, _)| *known != role);
            self.named.push((role, token));
        }
        self.named.sort_by_key(|(role, _)| *role as usize);
        // Roles that only one model has, such as `image_token`.
        let own = values.iter().filter(|(key, value)| {
            let is_known = SpecialToken::ALL.iter().any(|role| role.name() == *key);
            key.ends_with("_token") && value.is_string() && !is_known
        });
        let own = own.filter_map(|(_, value)| token(value, true));
        let own: Vec<AddedToken> = own.collect();
        check(TOKENIZER_CONFIG, &own)?;
        self.extra.extend(own);
        self.extra.extend(list(EXTRA, values.get(EXTRA))?);
        let additional = list(ADDITIONAL, values.get(ADDITIONAL))?;
        // The older name of the same list.
        if self.extra.is_empty() {
            self.extra = additional;
        }
        Ok(())
    }

    /// Reads the oldest form: a map of tokens to ids.
    fn read_added_tokens(&mut self, values: &Map<String, Value>) -> Result<(), Error> {
        let named = self.named.iter().map(|(_, token)| token);
        let special = named.chain(&self.extra);
        let special: HashSet<&str> = special.map(|token| token.content.as_str()).collect();
        let mut tokens = Vec::with_capacity(values.len());
        for (content, id) in values {
            let id = id
                .as_u64()
                .and_then(|id| u32::try_from(id).ok())
                .ok_or_else(|| refuse(content, "an id, an integer from 0", id))?;
            tokens.push((
                id,
                AddedToken::from(content.as_str(), special.contains(content.as_str())),
            ));
        }
        tokens.sort_by_key(|(id, _)| *id);
        check(ADDED_TOKENS, tokens.iter().map(|(_, token)| token))?;
        self.by_id = tokens;
        Ok(())
    }

    /// An option that is true or false.
    ///
    /// # Errors
    /// [`Error::Config`] if it is something else.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, Error> {
        match present(&self.values, key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(refuse(key, "true or false", other)),
        }
    }

    /// An option that is a text.
    ///
    /// # Errors
    /// [`Error::Config`] if it is something else.
    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, Error> {
        match present(&self.values, key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(refuse(key, "a text", other)),
        }
    }
}

/// The object in a JSON file, or `None` if there is no such file.
///
/// # Errors
/// [`Error::Read`] if the file can't be read; [`Error::File`] around [`Error::Json`] if it is not a JSON object.
pub(super) fn object(path: &Path) -> Result<Option<Map<String, Value>>, Error> {
    if !path.exists() {
        return Ok(None);
    }
    let text = whole_files::read_text(path, limits::CONFIGURATION)?;
    serde_json::from_str(&python_json::standard(&text))
        .map(Some)
        .map_err(|error| Error::from(error).in_file(path))
}

/// A value that is there and not `null`, which means the same to Hugging Face.
fn present<'v>(values: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
    values.get(key).filter(|value| !value.is_null())
}

/// The tokens under a key: a list, or an object with the names that a model gives them.
fn list(key: &str, value: Option<&Value>) -> Result<Vec<AddedToken>, Error> {
    let tokens: Option<Vec<AddedToken>> = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(|value| token(value, true)).collect(),
        Some(Value::Object(named)) => named.values().map(|value| token(value, true)).collect(),
        Some(_) => None,
    };
    let mut tokens =
        tokens.ok_or_else(|| refuse(key, "a list of tokens", value.unwrap_or(&Value::Null)))?;
    tokens.retain(|token| !token.content.is_empty());
    check(key, &tokens)?;
    Ok(tokens)
}

/// A token as a text, or as the object that transformers saves; `None` if the value is neither.
fn token(value: &Value, is_special: bool) -> Option<AddedToken> {
    let fields = match value {
        Value::String(content) => return Some(AddedToken::from(content.as_str(), is_special)),
        Value::Object(fields) => fields,
        _ => return None,
    };
    let flag = |key: &str, default: bool| match fields.get(key) {
        None => Some(default),
        Some(value) => value.as_bool(),
    };
    let special = is_special || flag("special", false)?;
    Some(AddedToken {
        content: fields.get("content")?.as_str()?.to_owned(),
        single_word: flag("single_word", false)?,
        lstrip: flag("lstrip", false)?,
        rstrip: flag("rstrip", false)?,
        normalized: flag("normalized", !special)?,
        special,
    })
}

/// Checks the tokens that stand at `place` of a file, and how many they are.
fn check<'t>(place: &str, tokens: impl IntoIterator<Item = &'t AddedToken>) -> Result<(), Error> {
    for (count, token) in tokens.into_iter().enumerate() {
        if count == PIECES {
            return Err(refuse(place, &format!("at most {PIECES} tokens"), "more"));
        }
        added::check(place, token)?;
    }
    Ok(())
}

fn refuse(key: &str, expected: &str, found: impl ToString) -> Error {
    Error::Config {
        key: key.to_owned(),
        expected: expected.to_owned(),
        found: quoted(&found.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn added_tokens_are_special_if_a_list_of_special_tokens_has_them() {
        let values = |value: Value| value.as_object().cloned().unwrap();
        let special = json!({"eos_token": "</s>", "extra_special_tokens": ["<x>"]});
        let mut options = Options::read(values(special)).unwrap();
        let added = json!({"<y>": 7, "<x>": 6, "</s>": 5});
        options.read_added_tokens(&values(added)).unwrap();
        let found = options.by_id.iter();
        let found: Vec<_> = found.map(|(id, token)| (*id, token.special)).collect();
        assert_eq!(found, [(5, true), (6, true), (7, false)]);
    }

    #[test]
    fn a_list_has_at_most_as_many_tokens_as_the_largest_vocabulary() {
        let token = AddedToken::from("<x>", true);
        let tokens = |count| std::iter::repeat_n(&token, count);
        assert!(check(EXTRA, tokens(PIECES)).is_ok());
        let error = check(EXTRA, tokens(PIECES + 1)).unwrap_err();
        assert!(
            error.to_string().contains("at most 1048576 tokens"),
            "{error}"
        );
    }
}
