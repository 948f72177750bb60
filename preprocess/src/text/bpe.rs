use std::collections::BTreeMap;

use tokenizers::models::bpe::{BPE, Merges};

use super::limits;
use super::quoted::quoted;
use super::vocabulary_ids::VocabularyIds;
use crate::Error;

/// What a BPE model does besides merging.
#[derive(Default)]
pub(super) struct BpeOptions {
    /// The token for characters that the vocabulary lacks; without it, they are left out.
    pub(super) unknown: Option<String>,
    /// Whether several unknown characters in a row are one token.
    pub(super) fuse_unknown: bool,
    /// Whether the bytes of unknown characters are tokens.
    pub(super) byte_fallback: bool,
    /// Whether a word that is in the vocabulary is taken as it is.
    pub(super) ignore_merges: bool,
}

/// The model of a vocabulary and merges. Every merge has to join two tokens to a third one.
///
/// # Errors
/// [`Error::TokenizerFile`] if a merge names a token that the vocabulary lacks, or if there are too many.
pub(super) fn model(
    vocabulary: VocabularyIds,
    merges: Merges,
    options: BpeOptions,
) -> Result<BPE, Error> {
    if merges.len() > limits::PIECES {
        return Err(too_many());
    }
    let mut joined = String::new();
    for (left, right) in &merges {
        joined.clear();
        for part in [left, right] {
            if part.len() > limits::PIECE_BYTES {
                return Err(lacking(part));
            }
            joined.push_str(part);
        }
        for token in [left, right, &joined] {
            if !vocabulary.ids.contains_key(token) {
                return Err(lacking(token));
            }
        }
    }
    if let Some(unknown) = &options.unknown {
        vocabulary.check_unknown(unknown)?;
    }
    // The model's cache belongs to threads and outlives the model, so there is none. A word takes microseconds.
    let mut builder = BPE::builder()
        .vocab_and_merges(vocabulary.ids, merges)
        .cache_capacity(0)
        .fuse_unk(options.fuse_unknown)
        .byte_fallback(options.byte_fallback)
        .ignore_merges(options.ignore_merges);
    if let Some(unknown) = options.unknown {
        builder = builder.unk_token(unknown);
    }
    builder.build().map_err(Error::Tokenize)
}

/// The vocabulary in the text of a `vocab.json`.
///
/// # Errors
/// [`Error::Json`] if it is not an object of tokens and ids, [`Error::TokenizerFile`] if its tokens can't be used.
pub(super) fn vocabulary(bytes: &[u8]) -> Result<VocabularyIds, Error> {
    let tokens: BTreeMap<String, u32> = serde_json::from_slice(bytes)?;
    VocabularyIds::new(tokens.into_iter().collect())
}

/// The merges in the text of a `merges.txt`, whose order is that of their ranks.
///
/// # Errors
/// [`Error::TokenizerFile`] if a line is not two tokens with a space between, or if there are too many.
pub(super) fn merges(text: &str) -> Result<Merges, Error> {
    let mut merges = Merges::new();
    let lines = (1..).zip(text.lines());
    for (number, line) in lines.filter(|(_, line)| !line.starts_with("#version")) {
        let pair = line.split_once(' ');
        let (left, right) = pair
            .filter(|(_, right)| !right.contains(' '))
            .ok_or_else(|| {
                Error::tokenizer_file(
                    "lines of two tokens with a space between",
                    format!("{} in line {number}", quoted(line)),
                )
            })?;
        if merges.len() == limits::PIECES {
            return Err(too_many());
        }
        merges.push((left.to_owned(), right.to_owned()));
    }
    Ok(merges)
}

fn too_many() -> Error {
    Error::tokenizer_file(format!("at most {} merges", limits::PIECES), "more")
}

fn lacking(token: &str) -> Error {
    Error::tokenizer_file(
        "merges whose tokens are in the vocabulary",
        format!("{}, which is not", quoted(token)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_are_read_with_and_without_a_version() {
        for text in [
            "#version: 0.2\na b\nab c\n",
            "a b\r\nab c",
            "a b\n#version\nab c",
        ] {
            let pair = |left: &str, right: &str| (left.to_owned(), right.to_owned());
            assert_eq!(merges(text).unwrap(), [pair("a", "b"), pair("ab", "c")]);
        }
        // Only the version is a comment: a merge may begin with #.
        assert_eq!(merges("# #").unwrap().len(), 1);
        for text in ["a", "a b c", "a b\n\nc d", "a b\n# comment here"] {
            let message = merges(text).unwrap_err().to_string();
            assert!(message.contains("in line"), "{message}");
        }
    }

    #[test]
    fn a_merge_of_something_that_the_vocabulary_lacks_is_refused() {
        let model = |pair: (&str, &str)| {
            let vocabulary = VocabularyIds::in_order(["a", "b", "ab", ""].into_iter());
            let merges = vec![(pair.0.to_owned(), pair.1.to_owned())];
            model(vocabulary.unwrap(), merges, BpeOptions::default())
        };
        model(("a", "b")).unwrap();
        for pair in [("b", "a"), ("a", "c"), ("c", "b"), ("ab", "ab")] {
            let message = model(pair).unwrap_err().to_string();
            assert!(message.contains("merges"), "{message}");
        }
    }
}
