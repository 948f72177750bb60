use serde::Deserialize;
use serde_json::Value;
use tokenizers::{AddedToken, DecoderWrapper, NormalizerWrapper, PreTokenizerWrapper};

use super::{charsmap, vocabulary};
use crate::Error;

/// The parts of a `tokenizer.json` that are used. The post-processor is not, since it has one fixed language, and
/// truncation and padding are not, since they are arguments here.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<Added>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    decoder: Option<Value>,
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    #[serde(flatten)]
    token: AddedToken,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    vocab: Value,
    unk_id: Option<usize>,
    #[serde(default)]
    byte_fallback: bool,
}

/// The tokenizer that the bytes of a `tokenizer.json` describe.
///
/// The `tokenizers` crate could read the whole file. Here it reads each part on its own, so that the vocabulary and the
/// normalisation table are checked before they are used.
pub(super) fn read(bytes: &[u8]) -> Result<tokenizers::Tokenizer, Error> {
    let file: File = serde_json::from_slice(bytes)?;
    if file.model.kind.as_deref() != Some("Unigram") {
        return Err(Error::TokenizerModel {
            found: format!("the type {:?}", file.model.kind.unwrap_or_default()),
        });
    }
    let pieces = serde_json::from_value(file.model.vocab)?;
    let unknown = file
        .model
        .unk_id
        .ok_or_else(|| Error::tokenizer_file("an unk_id", "none"))?;
    let unigram = vocabulary::unigram(pieces, unknown, file.model.byte_fallback)?;
    let mut tokenizer = tokenizers::Tokenizer::new(unigram);
    if let Some(normalizer) = &file.normalizer {
        check_tables(normalizer)?;
        tokenizer
            .with_normalizer(Some(part::<NormalizerWrapper>(normalizer)?))
            .map_err(Error::Tokenize)?;
    }
    if let Some(pre_tokenizer) = &file.pre_tokenizer {
        tokenizer.with_pre_tokenizer(Some(part::<PreTokenizerWrapper>(pre_tokenizer)?));
    }
    if let Some(decoder) = &file.decoder {
        tokenizer.with_decoder(Some(part::<DecoderWrapper>(decoder)?));
    }
    add_tokens(&mut tokenizer, file.added_tokens)?;
    Ok(tokenizer)
}

/// One part of the pipeline. It goes through text because the normalisation table deserialises from a borrowed string.
fn part<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, Error> {
    Ok(serde_json::from_str(&value.to_string())?)
}

/// Checks every normalisation table in a normaliser, at any depth.
fn check_tables(normalizer: &Value) -> Result<(), Error> {
    match normalizer {
        Value::Object(object) => object.iter().try_for_each(|(key, value)| match value {
            Value::String(text) if key == "precompiled_charsmap" => {
                let table = charsmap::from_base64(text).ok_or_else(|| {
                    Error::tokenizer_file("base64 under precompiled_charsmap", "something else")
                })?;
                charsmap::check(&table)
            }
            value => check_tables(value),
        }),
        Value::Array(values) => values.iter().try_for_each(check_tables),
        _ => Ok(()),
    }
}

/// Adds the tokens in the order of their ids, and checks that they got these ids.
fn add_tokens(tokenizer: &mut tokenizers::Tokenizer, mut added: Vec<Added>) -> Result<(), Error> {
    added.sort_by_key(|added| added.id);
    let tokens: Vec<_> = added.iter().map(|added| added.token.clone()).collect();
    tokenizer.add_tokens(tokens).map_err(Error::Tokenize)?;
    for Added { id, token } in added {
        let found = tokenizer.token_to_id(&token.content);
        if found != Some(id) {
            return Err(Error::tokenizer_file(
                format!("the added token {:?} at id {id}", token.content),
                found.map_or("none".to_owned(), |found| format!("id {found}")),
            ));
        }
    }
    Ok(())
}
