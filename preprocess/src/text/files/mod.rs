//! The files that a checkpoint's tokenizer may be in, and which of them is read.

mod byte_level;
mod japanese;
mod word_piece;

use std::path::Path;

use serde_json::Value;
use whole_files::{ReadError, limits};

use super::class::Class;
use super::options::{Options, object};
use super::{Tokenizer, sentencepiece};
use crate::Error;

pub(super) const TOKENIZER_JSON: &str = "tokenizer.json";
const SENTENCEPIECE: &str = "sentencepiece.bpe.model";
const VOCAB_JSON: &str = "vocab.json";
const MERGES: &str = "merges.txt";
const VOCAB_TXT: &str = "vocab.txt";

/// In the order of preference: Hugging Face saves the first today, and it may hold tokens that were added later.
const NAMES: [&str; 4] = [TOKENIZER_JSON, SENTENCEPIECE, VOCAB_JSON, VOCAB_TXT];

/// The tokenizer in a folder.
pub(super) fn read(folder: &Path) -> Result<Tokenizer, Error> {
    let has = |name: &str| folder.join(name).exists();
    if !NAMES.into_iter().any(has) {
        return Err(none_in(folder));
    }
    let options = Options::of_folder(folder)?;
    let named = named_class(folder, &options)?;
    let class = named.as_deref().and_then(Class::of_name);
    // Python's class does not read that file, and a vocabulary of characters is nothing that it could hold.
    let is_japanese = class == Some(Class::BertJapanese) && has(VOCAB_TXT);
    if has(TOKENIZER_JSON) && !is_japanese {
        return read_file(&folder.join(TOKENIZER_JSON), |bytes| {
            Tokenizer::from_json(bytes, class, &options)
        });
    }
    let class = match named {
        None => class_of_files(folder)?.ok_or_else(|| none_in(folder))?,
        Some(name) => class.ok_or(Error::UnknownTokenizer {
            found: name,
            known: Class::names(),
        })?,
    };
    let (file, parts) = match class {
        Class::MBart50 | Class::XlmRoberta => (
            SENTENCEPIECE,
            read_file(&existing(folder, SENTENCEPIECE)?, |bytes| {
                sentencepiece::read(bytes, class, &options)
            })?,
        ),
        Class::Gpt2 | Class::Roberta => (
            VOCAB_JSON,
            byte_level::read(
                &existing(folder, VOCAB_JSON)?,
                &folder.join(MERGES),
                &options,
            )?,
        ),
        Class::Bert => (
            VOCAB_TXT,
            read_text(&existing(folder, VOCAB_TXT)?, |text| {
                word_piece::read(text, &options)
            })?,
        ),
        Class::BertJapanese => (
            VOCAB_TXT,
            read_text(&existing(folder, VOCAB_TXT)?, |text| {
                japanese::read(text, &options)
            })?,
        ),
    };
    Tokenizer::from_vocabulary(parts, class, &options)
        .map_err(|error| error.in_file(&folder.join(file)))
}

/// The class that a folder names: `tokenizer_class` of its `tokenizer_config.json` or else of its `config.json`.
fn named_class(folder: &Path, options: &Options) -> Result<Option<String>, Error> {
    if let Some(name) = options.text("tokenizer_class")? {
        return Ok(Some(name.to_owned()));
    }
    let config = object(&folder.join("config.json"))?.unwrap_or_default();
    let name = config.get("tokenizer_class").and_then(Value::as_str);
    Ok(name.map(str::to_owned))
}

/// The class of a folder that names none: that of its model, if the folder has its files, or else that of its files.
fn class_of_files(folder: &Path) -> Result<Option<Class>, Error> {
    let config = object(&folder.join("config.json"))?.unwrap_or_default();
    let decoder = config.get("decoder").and_then(Value::as_object);
    let model_type = decoder.unwrap_or(&config).get("model_type");
    let of_model = model_type
        .and_then(Value::as_str)
        .and_then(Class::of_model_type);
    let has = |name: &str| folder.join(name).exists();
    Ok(if has(SENTENCEPIECE) {
        // Published captioning checkpoints have no class, and their decoders are mBART's.
        Some(match of_model {
            Some(Class::XlmRoberta) => Class::XlmRoberta,
            _ => Class::MBart50,
        })
    } else if has(VOCAB_JSON) && has(MERGES) {
        Some(match of_model {
            Some(class @ (Class::Gpt2 | Class::Roberta)) => class,
            _ => byte_level::class(&folder.join(VOCAB_JSON))?,
        })
    } else {
        has(VOCAB_TXT).then_some(Class::Bert)
    })
}

fn none_in(folder: &Path) -> Error {
    Error::NoTokenizer {
        folder: folder.to_owned(),
        expected: vec![
            TOKENIZER_JSON,
            SENTENCEPIECE,
            "vocab.json with merges.txt",
            VOCAB_TXT,
        ],
    }
}

/// The path of a file that a class needs.
fn existing(folder: &Path, name: &'static str) -> Result<std::path::PathBuf, Error> {
    let path = folder.join(name);
    match path.exists() {
        true => Ok(path),
        false => Err(Error::NoTokenizer {
            folder: folder.to_owned(),
            expected: vec![TOKENIZER_JSON, name],
        }),
    }
}

/// What `read` makes of the bytes of a vocabulary.
pub(super) fn read_file<T>(
    path: &Path,
    read: impl FnOnce(&[u8]) -> Result<T, Error>,
) -> Result<T, Error> {
    whole_files::read(path, limits::VOCABULARY)
        .map_err(Error::Read)
        .and_then(|bytes| read(&bytes))
        .map_err(|error| error.in_file(path))
}

/// What `read` makes of the text of a vocabulary.
fn read_text<T>(path: &Path, read: impl FnOnce(&str) -> Result<T, Error>) -> Result<T, Error> {
    let text: Result<String, ReadError> = whole_files::read_text(path, limits::VOCABULARY);
    text.map_err(Error::Read)
        .and_then(|text| read(&text))
        .map_err(|error| error.in_file(path))
}
