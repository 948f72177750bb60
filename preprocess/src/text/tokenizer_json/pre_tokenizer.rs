use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::metaspace::Metaspace;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;

use super::component::{List, Place, Steps, parse, plain, type_of};
use super::metaspace;
use crate::Error;

const NAME: &str = "pre_tokenizer";

const TYPES: [&str; 2] = ["Metaspace", "WhitespaceSplit"];

/// A step that splits a text into words.
enum Step {
    Metaspace(Metaspace),
    WhitespaceSplit,
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
    Steps::read(NAME, raw, list, step)?.build(
        |step| Ok(step.build()),
        |steps| PreTokenizerWrapper::Sequence(Sequence::new(steps)),
    )
}

fn step(place: &Place, raw: &RawValue) -> Result<Step, Error> {
    match &*type_of(place, raw)? {
        "Metaspace" => Ok(Step::Metaspace(metaspace::read(place, raw)?)),
        "WhitespaceSplit" => plain(place, raw, Step::WhitespaceSplit),
        other => Err(place.refuse_type(&TYPES, other)),
    }
}

impl Step {
    fn build(self) -> PreTokenizerWrapper {
        match self {
            Self::Metaspace(step) => PreTokenizerWrapper::Metaspace(step),
            Self::WhitespaceSplit => PreTokenizerWrapper::WhitespaceSplit(WhitespaceSplit),
        }
    }
}
