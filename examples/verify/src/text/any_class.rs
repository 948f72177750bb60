use std::path::Path;

use preprocess::Error;
use preprocess::text::Tokenizer;
use serde::Deserialize;

use super::{of_named, of_one, shortened};
use crate::input::{InputError, read_json, unusable};
use crate::report::{Comparison, Report};

/// The file with what a public implementation computed.
pub(super) const REFERENCE: &str = "reference.json";

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Reference {
    vocab_size: usize,
    /// None if the public implementation lacked what it needs to split texts into words.
    #[serde(default)]
    encodings: Vec<Encoding>,
    #[serde(default)]
    decodings: Vec<Decoding>,
}

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Encoding {
    text: String,
    /// With the special tokens around the text.
    ids: Vec<u32>,
    /// What `ids` decode to, without special tokens.
    decoded: String,
    decoded_with_special: String,
}

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Decoding {
    /// In any order, so that bytes and parts of words stand where no text has them.
    ids: Vec<u32>,
    /// Without special tokens.
    decoded: String,
}

/// Compares a tokenizer of any class with the reference.
pub(super) fn verify(
    tokenizer: &Tokenizer,
    path: &Path,
    report: &mut Report<'_>,
) -> Result<(), InputError> {
    let reference: Reference = read_json(path)?;
    let size = tokenizer.vocab_size();
    report.add(of_one("vocabulary size", size, reference.vocab_size))?;
    // The reference's ids are decoded, so that this does not depend on encoding.
    let equals = |ids: &[u32], skip_special_tokens, expected: &String| {
        let found = tokenizer.decode(ids, skip_special_tokens).ok();
        found.as_ref() == Some(expected)
    };
    let cases = &reference.encodings;
    if !cases.is_empty() {
        report.add(encodings(tokenizer, cases, path)?)?;
        let differing = cases
            .iter()
            .filter(|case| !equals(&case.ids, true, &case.decoded));
        report.add(of_texts("decoded texts", differing, cases.len()))?;
        let differing = cases
            .iter()
            .filter(|case| !equals(&case.ids, false, &case.decoded_with_special));
        let what = "decoded texts with special tokens";
        report.add(of_texts(what, differing, cases.len()))?;
    }
    let others = &reference.decodings;
    if !others.is_empty() || cases.is_empty() {
        let differing = others
            .iter()
            .filter(|case| !equals(&case.ids, true, &case.decoded))
            .map(|case| format!("{:?}", shortened(&case.decoded)));
        let what = "decoded ids in any order";
        report.add(of_named(what, others.len(), differing.collect()))?;
    }
    Ok(())
}

/// Compares token ids, which a tokenizer that can only decode does not have.
fn encodings(
    tokenizer: &Tokenizer,
    cases: &[Encoding],
    path: &Path,
) -> Result<Comparison, InputError> {
    let what = "token ids";
    let mut differing = Vec::new();
    for case in cases {
        match tokenizer.encode_text(&case.text, true) {
            Ok(ids) if ids == case.ids => {}
            Ok(_) => differing.push(case),
            Err(error @ Error::WordSplitter { .. }) => {
                return Ok(Comparison::not_run(what, cases.len(), error.to_string()));
            }
            Err(error) => return Err(unusable(path, error)),
        }
    }
    Ok(of_texts(what, differing.into_iter(), cases.len()))
}

fn of_texts<'c>(
    what: &str,
    differing: impl Iterator<Item = &'c Encoding>,
    cases: usize,
) -> Comparison {
    let named = differing.map(|case| format!("{:?}", shortened(&case.text)));
    of_named(what, cases, named.collect())
}
