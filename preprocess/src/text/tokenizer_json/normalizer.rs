use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tokenizers::NormalizerWrapper;
use tokenizers::normalizers::{
    BertNormalizer, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Sequence, Strip,
    StripAccents,
};

use super::super::charsmap;
use super::component::{List, Place, Steps, parse, plain, type_of};
use super::replace::Replacement;
use crate::Error;

const NAME: &str = "normalizer";

const TYPES: [&str; 11] = [
    "Precompiled",
    "Replace",
    "Strip",
    "StripAccents",
    "Lowercase",
    "Nmt",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "BertNormalizer",
];

/// A step that changes a text before it is split.
enum Step {
    Precompiled(Vec<u8>),
    Replace(Replacement),
    Strip { left: bool, right: bool },
    StripAccents,
    Lowercase,
    Nmt,
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
    Bert(BertFields),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with normalizers")]
struct SequenceFields<'a> {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    #[serde(borrow)]
    normalizers: List<'a>,
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object with a precompiled_charsmap"
)]
struct PrecompiledFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    precompiled_charsmap: String,
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object with strip_left and strip_right"
)]
struct StripFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    strip_left: bool,
    strip_right: bool,
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object with clean_text and lowercase"
)]
struct BertFields {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    clean_text: bool,
    handle_chinese_chars: bool,
    strip_accents: Option<bool>,
    lowercase: bool,
}

pub(super) fn read(raw: &RawValue) -> Result<NormalizerWrapper, Error> {
    let list: for<'a> fn(&Place, &'a RawValue) -> Result<List<'a>, Error> =
        |place, raw| Ok(parse::<SequenceFields<'_>>(place, raw)?.normalizers);
    let steps = Steps::read(NAME, raw, list, step)?;
    // Each could make a text several times as long, and the next again.
    let is_table = |step: &&Step| matches!(step, Step::Precompiled(_));
    if steps.steps.iter().filter(is_table).count() > 1 {
        return Err(Place::Part(NAME).refuse("at most one Precompiled", "several"));
    }
    steps.build(Step::build, |steps| {
        NormalizerWrapper::Sequence(Sequence::new(steps))
    })
}

fn step(place: &Place, raw: &RawValue) -> Result<Step, Error> {
    let plain = |step| plain(place, raw, step);
    match &*type_of(place, raw)? {
        "Precompiled" => {
            let fields: PrecompiledFields = parse(place, raw)?;
            let table = charsmap::from_base64(&fields.precompiled_charsmap).ok_or_else(|| {
                place.refuse("base64 under precompiled_charsmap", "something else")
            })?;
            charsmap::check(&table)?;
            Ok(Step::Precompiled(table))
        }
        "Replace" => Ok(Step::Replace(Replacement::read(place, raw)?)),
        "Strip" => {
            let fields: StripFields = parse(place, raw)?;
            Ok(Step::Strip {
                left: fields.strip_left,
                right: fields.strip_right,
            })
        }
        "StripAccents" => plain(Step::StripAccents),
        "Lowercase" => plain(Step::Lowercase),
        "Nmt" => plain(Step::Nmt),
        "NFC" => plain(Step::Nfc),
        "NFD" => plain(Step::Nfd),
        "NFKC" => plain(Step::Nfkc),
        "NFKD" => plain(Step::Nfkd),
        "BertNormalizer" => Ok(Step::Bert(parse(place, raw)?)),
        other => Err(place.refuse_type(&TYPES, other)),
    }
}

impl Step {
    fn build(self) -> Result<NormalizerWrapper, Error> {
        Ok(match self {
            Self::Precompiled(table) => {
                let table = Precompiled::from(&table).map_err(|error| {
                    Error::tokenizer_file("a normalisation table", error.to_string())
                })?;
                NormalizerWrapper::Precompiled(table)
            }
            Self::Replace(step) => NormalizerWrapper::Replace(step.build()?),
            Self::Strip { left, right } => {
                NormalizerWrapper::StripNormalizer(Strip::new(left, right))
            }
            Self::StripAccents => NormalizerWrapper::StripAccents(StripAccents),
            Self::Lowercase => NormalizerWrapper::Lowercase(Lowercase),
            Self::Nmt => NormalizerWrapper::Nmt(Nmt),
            Self::Nfc => NormalizerWrapper::NFC(NFC),
            Self::Nfd => NormalizerWrapper::NFD(NFD),
            Self::Nfkc => NormalizerWrapper::NFKC(NFKC),
            Self::Nfkd => NormalizerWrapper::NFKD(NFKD),
            Self::Bert(fields) => NormalizerWrapper::BertNormalizer(BertNormalizer::new(
                fields.clean_text,
                fields.handle_chinese_chars,
                fields.strip_accents,
                fields.lowercase,
            )),
        })
    }
}
