use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokenizers::models::unigram::Unigram;

use super::super::quoted::quoted;
use super::super::{limits, vocabulary};
use super::bounded::Bounded;
use super::component::{Place, parse};
use crate::Error;

const PLACE: Place = Place::Part("model");

/// The kinds of models that can be read.
pub(super) enum Kind {
    Unigram,
}

/// The kind of a model. Other parts can be checked before its vocabulary is read.
pub(super) fn kind(raw: &RawValue) -> Result<Kind, Error> {
    #[derive(Deserialize)]
    #[serde(expecting = "an object with a type")]
    struct Tag<'a> {
        #[serde(rename = "type", borrow)]
        kind: Option<Cow<'a, str>>,
        #[serde(borrow)]
        vocab: Option<&'a RawValue>,
    }
    let tag: Tag<'_> = parse(&PLACE, raw)?;
    let has_list = || tag.vocab.is_some_and(|vocab| vocab.get().starts_with('['));
    match tag.kind.as_deref() {
        Some("Unigram") => Ok(Kind::Unigram),
        // Files of 2020 do not name the type; only unigram models have a list with scores.
        None if has_list() => Ok(Kind::Unigram),
        kind => Err(Error::TokenizerModel {
            found: match kind {
                Some(kind) => format!("the type {}", quoted(kind)),
                None => "no type".to_owned(),
            },
        }),
    }
}

impl Kind {
    /// The model.
    pub(super) fn read(self, raw: &RawValue) -> Result<Unigram, Error> {
        match self {
            Self::Unigram => {
                let fields: UnigramFields = parse(&PLACE, raw)?;
                let unknown = fields
                    .unk_id
                    .ok_or_else(|| Error::tokenizer_file("an unk_id", "none"))?;
                vocabulary::unigram(fields.vocab.0, unknown, fields.byte_fallback)
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a vocab")]
struct UnigramFields {
    #[serde(rename = "type")]
    _kind: Option<IgnoredAny>,
    unk_id: Option<usize>,
    /// Pieces and their scores, in the order of their ids.
    vocab: Bounded<(String, f64), { limits::PIECES }>,
    #[serde(default)]
    byte_fallback: bool,
}
