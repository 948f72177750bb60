//! `tokenizer.json`, which describes a tokenizer as a model and the steps before and after it.
//!
//! The `tokenizers` crate would run whatever steps a file names, with whatever options: regular expressions without
//! end, steps that fail on some texts, replacements that double a text again and again. So this module reads the steps
//! into types of its own, which are those of published tokenizers, and makes the crate's steps from these. Everything
//! else is refused by name. A further kind of model or step is one more case in its file here.

mod added;
mod bounded;
mod byte_level;
mod component;
mod decoder;
mod metaspace;
mod model;
mod normalizer;
mod post_processor;
mod pre_tokenizer;
mod replace;
mod vocab;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::added as added_tokens;
use super::assembly::Parts;
use super::quoted::quoted;
use crate::Error;
use component::{Place, json_error};

pub(super) use post_processor::read as post_processor;

/// The parts of the file. Truncation and padding are not used, since they are arguments here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a model")]
struct File<'a> {
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    #[serde(rename = "truncation")]
    _truncation: Option<IgnoredAny>,
    #[serde(rename = "padding")]
    _padding: Option<IgnoredAny>,
    #[serde(borrow)]
    added_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    normalizer: Option<&'a RawValue>,
    #[serde(borrow)]
    pre_tokenizer: Option<&'a RawValue>,
    #[serde(borrow)]
    post_processor: Option<&'a RawValue>,
    #[serde(borrow)]
    decoder: Option<&'a RawValue>,
    #[serde(borrow)]
    model: &'a RawValue,
}

/// The version of the format. There has been no other.
const VERSION: &str = "1.0";

/// The tokenizer that the bytes of a `tokenizer.json` describe, and its post-processor, which is not read yet: with
/// languages it is not used, since it has one fixed language.
pub(super) fn read(bytes: &[u8]) -> Result<(Parts, Option<&RawValue>), Error> {
    let file: File<'_> =
        serde_json::from_slice(bytes).map_err(|error| json_error(&Place::File, error))?;
    if let Some(version) = file.version {
        check_version(version)?;
    }
    // Small parts first, so that a file that is refused for one of them costs no vocabulary.
    let model = model::kind(file.model)?;
    let normalizer = file.normalizer.map(normalizer::read).transpose()?;
    let pre_tokenizer = file.pre_tokenizer.map(pre_tokenizer::read).transpose()?;
    let decoder = file.decoder.map(decoder::read).transpose()?;
    let added = file.added_tokens.map(added::read).transpose()?;

    let (model, size) = model.read(file.model)?;
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    tokenizer
        .with_normalizer(normalizer)
        .map_err(Error::Tokenize)?;
    tokenizer.with_pre_tokenizer(pre_tokenizer);
    tokenizer.with_decoder(decoder);
    added_tokens::add(&mut tokenizer, added::NAME, added.unwrap_or_default())?;
    Ok((Parts::new(tokenizer, size), file.post_processor))
}

fn check_version(raw: &RawValue) -> Result<(), Error> {
    let place = Place::Part("version");
    let version: String = component::parse(&place, raw)?;
    match version == VERSION {
        true => Ok(()),
        false => Err(place.refuse(VERSION, quoted(&version))),
    }
}
