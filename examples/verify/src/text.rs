mod any_class;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use preprocess::text::Tokenizer;
use serde::Deserialize;

use crate::input::{InputError, read_json};
use crate::report::{Comparison, Report};

/// The length that `ids_max16` were truncated to.
const TRUNCATED_LENGTH: usize = 16;

/// The number of differing cases that a line names. It only counts the others.
const NAMED_CASES: usize = 3;

/// The number of characters of a text that a line shows.
const SHOWN_CHARACTERS: usize = 40;

/// What Hugging Face's `MBart50Tokenizer` computed from a vocabulary and some texts.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Reference {
    vocab_size: usize,
    /// Ids of the language codes.
    languages: BTreeMap<String, u32>,
    /// Id of `<mask>`.
    mask: u32,
    encodings: Vec<Encoding>,
}

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Encoding {
    text: String,
    lang: String,
    ids: Vec<u32>,
    ids_max16: Vec<u32>,
    /// What `ids` decode to, without special tokens.
    decoded: String,
    decoded_with_special: String,
}

/// Compares a tokenizer with a public implementation's ids and texts. The folder's reference.json is for the tokenizer
/// in it, whatever its class; without one, its tokenizer.json.reference is for mBART-50's.
pub(crate) fn verify(folder: &Path, report: &mut Report<'_>) -> Result<(), InputError> {
    let path = folder.join(any_class::REFERENCE);
    if path.exists() {
        return any_class::verify(&Tokenizer::from_folder(folder)?, &path, report);
    }
    let tokenizer = Tokenizer::from_sentencepiece(folder.join("sentencepiece.bpe.model"))?;
    let reference: Reference = read_json(&folder.join("tokenizer.json.reference"))?;

    let size = tokenizer.vocab_size();
    report.add(of_one("vocabulary size", size, reference.vocab_size))?;
    report.add(languages(&tokenizer, &reference.languages))?;
    let mask = tokenizer.token_id("<mask>");
    report.add(of_one("id of <mask>", mask, Some(reference.mask)))?;

    let encode = |encoding: &Encoding, length| {
        // An error, for example because of an unknown language code, differs from the reference.
        tokenizer
            .encode(&encoding.text, &encoding.lang, length)
            .ok()
    };
    report.add(of_texts("token ids", &reference.encodings, |encoding| {
        encode(encoding, None).as_ref() == Some(&encoding.ids)
    }))?;
    let what = format!("token ids truncated to {TRUNCATED_LENGTH}");
    report.add(of_texts(what, &reference.encodings, |encoding| {
        encode(encoding, Some(TRUNCATED_LENGTH)).as_ref() == Some(&encoding.ids_max16)
    }))?;

    // The reference's ids are decoded, so that this does not depend on encoding.
    let decode = |encoding: &Encoding, skip_special_tokens| {
        tokenizer.decode(&encoding.ids, skip_special_tokens).ok()
    };
    report.add(of_texts(
        "decoded texts",
        &reference.encodings,
        |encoding| decode(encoding, true).as_ref() == Some(&encoding.decoded),
    ))?;
    let what = "decoded texts with special tokens";
    report.add(of_texts(what, &reference.encodings, |encoding| {
        decode(encoding, false).as_ref() == Some(&encoding.decoded_with_special)
    }))?;
    Ok(())
}

/// Compares one value.
fn of_one<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Comparison {
    let comparison = Comparison::of_cases(what, usize::from(found == expected), 1);
    match found == expected {
        true => comparison,
        false => comparison.with_reason(format!("found {found:?}, the reference has {expected:?}")),
    }
}

/// Compares the language codes and their ids. A code that only one side has differs.
fn languages(tokenizer: &Tokenizer, expected: &BTreeMap<String, u32>) -> Comparison {
    let found: BTreeMap<&str, u32> = tokenizer
        .languages()
        .map(|(language, id)| (language.code, id))
        .collect();
    let codes: BTreeSet<&str> = found
        .keys()
        .copied()
        .chain(expected.keys().map(String::as_str))
        .collect();
    let differing = codes
        .iter()
        .filter(|code| found.get(*code) != expected.get(**code))
        .map(|code| (*code).to_owned());
    of_named("language codes", codes.len(), differing.collect())
}

/// Counts the texts for which `is_equal` holds.
fn of_texts(
    what: impl Into<String>,
    encodings: &[Encoding],
    is_equal: impl Fn(&Encoding) -> bool,
) -> Comparison {
    let differing = encodings
        .iter()
        .filter(|encoding| !is_equal(encoding))
        .map(|encoding| format!("{} {:?}", encoding.lang, shortened(&encoding.text)));
    of_named(what, encodings.len(), differing.collect())
}

/// Counts the cases that are equal and names the first of the others.
fn of_named(what: impl Into<String>, cases: usize, differing: Vec<String>) -> Comparison {
    let comparison = Comparison::of_cases(what, cases - differing.len(), cases);
    if differing.is_empty() {
        return comparison;
    }
    let more = match differing.len().saturating_sub(NAMED_CASES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = &differing[..differing.len().min(NAMED_CASES)];
    comparison.with_reason(format!("differing: {}{more}", named.join(", ")))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
