use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokenizers::ModelWrapper;
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::models::wordpiece::WordPiece;

use super::super::bpe::{self, BpeOptions};
use super::super::quoted::quoted;
use super::super::{limits, vocabulary};
use super::bounded::Bounded;
use super::component::{Place, parse};
use super::vocab::{Merge, Vocab};
use crate::Error;

const PLACE: Place = Place::Part("model");

/// The kinds of models that can be read.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Unigram,
    Bpe,
    WordPiece,
    WordLevel,
}

/// A model, and its largest id plus one.
type Model = (ModelWrapper, usize);

/// The kind of a model. Other parts can be checked before its vocabulary is read.
pub(super) fn kind(raw: &RawValue) -> Result<Kind, Error> {
    #[derive(Deserialize)]
    #[serde(expecting = "an object with a type")]
    struct Tag<'a> {
        #[serde(rename = "type", borrow)]
        kind: Option<Cow<'a, str>>,
        #[serde(borrow)]
        vocab: Option<&'a RawValue>,
        merges: Option<IgnoredAny>,
        max_input_chars_per_word: Option<IgnoredAny>,
    }
    let tag: Tag<'_> = parse(&PLACE, raw)?;
    match tag.kind.as_deref() {
        Some("Unigram") => return Ok(Kind::Unigram),
        Some("BPE") => return Ok(Kind::Bpe),
        Some("WordPiece") => return Ok(Kind::WordPiece),
        Some("WordLevel") => return Ok(Kind::WordLevel),
        Some(_) => {}
        // Files of 2020 do not name the type. Only unigram models have a list with scores.
        None => match tag.vocab.map(|vocab| vocab.get().chars().next()) {
            Some(Some('[')) => return Ok(Kind::Unigram),
            Some(Some('{')) if tag.merges.is_some() => return Ok(Kind::Bpe),
            Some(Some('{')) if tag.max_input_chars_per_word.is_some() => {
                return Ok(Kind::WordPiece);
            }
            _ => {}
        },
    }
    Err(Error::TokenizerModel {
        expected: "a model of the type Unigram, BPE, WordPiece or WordLevel",
        found: match tag.kind.as_deref() {
            Some(kind) => format!("the type {}", quoted(kind)),
            None => "no type".to_owned(),
        },
    })
}

impl Kind {
    /// The model.
    pub(super) fn read(self, raw: &RawValue) -> Result<Model, Error> {
        match self {
            Self::Unigram => unigram(parse(&PLACE, raw)?),
            Self::Bpe => bpe(parse(&PLACE, raw)?),
            Self::WordPiece => word_piece(parse(&PLACE, raw)?),
            Self::WordLevel => word_level(parse(&PLACE, raw)?),
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

fn unigram(fields: UnigramFields) -> Result<Model, Error> {
    let unknown = fields
        .unk_id
        .ok_or_else(|| Error::tokenizer_file("an unk_id", "none"))?;
    let size = fields.vocab.0.len();
    let model = vocabulary::unigram(fields.vocab.0, unknown, fields.byte_fallback)?;
    Ok((ModelWrapper::Unigram(model), size))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with vocab and merges")]
struct BpeFields {
    #[serde(rename = "type")]
    _kind: Option<IgnoredAny>,
    dropout: Option<f64>,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    fuse_unk: Option<bool>,
    byte_fallback: Option<bool>,
    ignore_merges: Option<bool>,
    vocab: Vocab,
    merges: Bounded<Merge, { limits::PIECES }>,
}

fn bpe(fields: BpeFields) -> Result<Model, Error> {
    if let Some(dropout) = fields.dropout.filter(|dropout| *dropout != 0.0) {
        return Err(PLACE.refuse("a dropout of 0, or none", dropout.to_string()));
    }
    for (name, text) in [
        (
            "continuing_subword_prefix",
            fields.continuing_subword_prefix,
        ),
        ("end_of_word_suffix", fields.end_of_word_suffix),
    ] {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            return Err(PLACE.refuse(format!("no {name}, as in byte-level BPE"), quoted(&text)));
        }
    }
    let vocabulary = fields.vocab.build()?;
    let size = vocabulary.size;
    let merges = fields.merges.0.into_iter().map(|Merge(pair)| pair);
    let options = BpeOptions {
        unknown: fields.unk_token,
        fuse_unknown: fields.fuse_unk.unwrap_or(false),
        byte_fallback: fields.byte_fallback.unwrap_or(false),
        ignore_merges: fields.ignore_merges.unwrap_or(false),
    };
    let model = bpe::model(vocabulary, merges.collect(), options)?;
    Ok((ModelWrapper::BPE(model), size))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a vocab")]
struct WordPieceFields {
    #[serde(rename = "type")]
    _kind: Option<IgnoredAny>,
    unk_token: String,
    continuing_subword_prefix: String,
    max_input_chars_per_word: usize,
    vocab: Vocab,
}

fn word_piece(fields: WordPieceFields) -> Result<Model, Error> {
    if fields.max_input_chars_per_word > limits::MOST_WORD_CHARACTERS {
        return Err(PLACE.refuse(
            format!(
                "a max_input_chars_per_word of at most {}",
                limits::MOST_WORD_CHARACTERS
            ),
            fields.max_input_chars_per_word.to_string(),
        ));
    }
    let prefix = fields.continuing_subword_prefix;
    if prefix.chars().count() > limits::STEP_CHARACTERS {
        return Err(PLACE.refuse(
            format!(
                "a continuing_subword_prefix of at most {} characters",
                limits::STEP_CHARACTERS
            ),
            "a longer one",
        ));
    }
    let vocabulary = fields.vocab.build()?;
    vocabulary.check_unknown(&fields.unk_token)?;
    let size = vocabulary.size;
    let model = WordPiece::builder()
        .vocab(vocabulary.ids)
        .unk_token(fields.unk_token)
        .continuing_subword_prefix(prefix)
        .max_input_chars_per_word(fields.max_input_chars_per_word)
        .build()
        .map_err(Error::Tokenize)?;
    Ok((ModelWrapper::WordPiece(model), size))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a vocab")]
struct WordLevelFields {
    #[serde(rename = "type")]
    _kind: Option<IgnoredAny>,
    unk_token: String,
    vocab: Vocab,
}

fn word_level(fields: WordLevelFields) -> Result<Model, Error> {
    let vocabulary = fields.vocab.build()?;
    vocabulary.check_unknown(&fields.unk_token)?;
    let size = vocabulary.size;
    let model = WordLevel::builder()
        .vocab(vocabulary.ids)
        .unk_token(fields.unk_token)
        .build()
        .map_err(Error::Tokenize)?;
    Ok((ModelWrapper::WordLevel(model), size))
}
