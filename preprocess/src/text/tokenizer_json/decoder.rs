use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokenizers::DecoderWrapper;
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence;
use tokenizers::decoders::strip::Strip;
use tokenizers::decoders::wordpiece::WordPiece;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::metaspace::Metaspace;

use super::super::limits;
use super::component::{List, Place, Steps, parse, plain, type_of};
use super::replace::Replacement;
use super::{byte_level, metaspace};
use crate::Error;

const NAME: &str = "decoder";

const TYPES: [&str; 7] = [
    "Metaspace",
    "Replace",
    "ByteFallback",
    "Fuse",
    "Strip",
    "ByteLevel",
    "WordPiece",
];

/// A step that turns tokens into text.
enum Step {
    Metaspace(Metaspace),
    Replace(Replacement),
    ByteFallback,
    Fuse,
    Strip { content: char, start: usize },
    ByteLevel(ByteLevel),
    WordPiece { prefix: String, cleanup: bool },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with decoders")]
struct SequenceFields<'a> {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    #[serde(borrow)]
    decoders: List<'a>,
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object with content, start and stop"
)]
struct StripFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    content: char,
    start: usize,
    stop: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with prefix and cleanup")]
struct WordPieceFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    prefix: String,
    cleanup: bool,
}

pub(super) fn read(raw: &RawValue) -> Result<DecoderWrapper, Error> {
    let list: for<'a> fn(&Place, &'a RawValue) -> Result<List<'a>, Error> =
        |place, raw| Ok(parse::<SequenceFields<'_>>(place, raw)?.decoders);
    Steps::read(NAME, raw, list, step)?.build(Step::build, |steps| {
        DecoderWrapper::Sequence(Sequence::new(steps))
    })
}

fn step(place: &Place, raw: &RawValue) -> Result<Step, Error> {
    let plain = |step| plain(place, raw, step);
    match &*type_of(place, raw)? {
        "Metaspace" => Ok(Step::Metaspace(metaspace::read(place, raw)?)),
        "Replace" => {
            let step = Replacement::read(place, raw)?;
            match step.is_regular() {
                true => Err(place.refuse("a text to replace", "a regular expression")),
                false => Ok(Step::Replace(step)),
            }
        }
        "ByteFallback" => plain(Step::ByteFallback),
        "Fuse" => plain(Step::Fuse),
        "Strip" => {
            let fields: StripFields = parse(place, raw)?;
            // The crate fails on tokens that are shorter than what is stripped from their end.
            if fields.start > limits::STEP_CHARACTERS || fields.stop != 0 {
                return Err(place.refuse(
                    format!(
                        "a start of at most {} and a stop of 0",
                        limits::STEP_CHARACTERS
                    ),
                    format!("a start of {} and a stop of {}", fields.start, fields.stop),
                ));
            }
            Ok(Step::Strip {
                content: fields.content,
                start: fields.start,
            })
        }
        // Its options matter only to the pre-tokenizer.
        "ByteLevel" => Ok(Step::ByteLevel(byte_level::read(place, raw)?)),
        "WordPiece" => {
            let fields: WordPieceFields = parse(place, raw)?;
            match fields.prefix.chars().nth(limits::STEP_CHARACTERS) {
                Some(_) => Err(place.refuse(
                    format!("a prefix of at most {} characters", limits::STEP_CHARACTERS),
                    "a longer one",
                )),
                None => Ok(Step::WordPiece {
                    prefix: fields.prefix,
                    cleanup: fields.cleanup,
                }),
            }
        }
        other => Err(place.refuse_type(&TYPES, other)),
    }
}

impl Step {
    fn build(self) -> Result<DecoderWrapper, Error> {
        Ok(match self {
            Self::Metaspace(step) => DecoderWrapper::Metaspace(step),
            Self::Replace(step) => DecoderWrapper::Replace(step.build()?),
            Self::ByteFallback => DecoderWrapper::ByteFallback(ByteFallback::new()),
            Self::Fuse => DecoderWrapper::Fuse(Fuse::new()),
            Self::ByteLevel(step) => DecoderWrapper::ByteLevel(step),
            Self::WordPiece { prefix, cleanup } => {
                DecoderWrapper::WordPiece(WordPiece::new(prefix, cleanup))
            }
            Self::Strip { content, start } => DecoderWrapper::Strip(Strip::new(content, start, 0)),
        })
    }
}
