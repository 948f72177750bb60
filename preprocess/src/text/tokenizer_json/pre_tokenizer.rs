use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::fixed_length::FixedLength;
use tokenizers::pre_tokenizers::metaspace::Metaspace;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;

use super::component::{List, Place, Steps, parse, plain, type_of};
use super::{byte_level, metaspace};
use crate::Error;

const NAME: &str = "pre_tokenizer";

const TYPES: [&str; 5] = [
    "Metaspace",
    "WhitespaceSplit",
    "ByteLevel",
    "BertPreTokenizer",
    "FixedLength",
];

/// A step that splits a text into words.
enum Step {
    Metaspace(Metaspace),
    WhitespaceSplit,
    ByteLevel(ByteLevel),
    Bert,
    /// Splits into characters.
    Characters,
}

/// The crate fails on a length of 0, and vocabularies have characters, not longer parts.
const CHARACTERS: usize = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with length")]
struct FixedLengthFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    length: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with pretokenizers")]
struct SequenceFields<'a> {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    #[serde(borrow)]
    pretokenizers: List<'a>,
}

pub(super) fn read(raw: &RawValue) -> Result<PreTokenizerWrapper, Error> {
    let list: for<'a> fn(&Place, &'a RawValue) -> Result<List<'a>, Error> =
        |place, raw| Ok(parse::<SequenceFields<'_>>(place, raw)?.pretokenizers);
    let steps = Steps::read(NAME, raw, list, step)?;
    // Each makes two characters of one that is not ASCII, and the next two of each of these.
    let is_byte_level = |step: &&Step| matches!(step, Step::ByteLevel(_));
    if steps.steps.iter().filter(is_byte_level).count() > 1 {
        return Err(Place::Part(NAME).refuse("at most one ByteLevel", "several"));
    }
    steps.build(
        |step| Ok(step.build()),
        |steps| PreTokenizerWrapper::Sequence(Sequence::new(steps)),
    )
}

fn step(place: &Place, raw: &RawValue) -> Result<Step, Error> {
    match &*type_of(place, raw)? {
        "Metaspace" => Ok(Step::Metaspace(metaspace::read(place, raw)?)),
        "WhitespaceSplit" => plain(place, raw, Step::WhitespaceSplit),
        "ByteLevel" => Ok(Step::ByteLevel(byte_level::read(place, raw)?)),
        "BertPreTokenizer" => plain(place, raw, Step::Bert),
        "FixedLength" => {
            let fields: FixedLengthFields = parse(place, raw)?;
            match fields.length {
                CHARACTERS => Ok(Step::Characters),
                other => Err(place.refuse(
                    "a FixedLength with a length of 1",
                    format!("one with a length of {other}"),
                )),
            }
        }
        other => Err(place.refuse_type(&TYPES, other)),
    }
}

impl Step {
    fn build(self) -> PreTokenizerWrapper {
        match self {
            Self::Metaspace(step) => PreTokenizerWrapper::Metaspace(step),
            Self::WhitespaceSplit => PreTokenizerWrapper::WhitespaceSplit(WhitespaceSplit),
            Self::ByteLevel(step) => PreTokenizerWrapper::ByteLevel(step),
            Self::Bert => PreTokenizerWrapper::BertPreTokenizer(BertPreTokenizer),
            Self::Characters => PreTokenizerWrapper::FixedLength(FixedLength::new(CHARACTERS)),
        }
    }
}
