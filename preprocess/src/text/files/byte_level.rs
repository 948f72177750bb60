//! `vocab.json` and `merges.txt`: byte-level BPE, of GPT-2, RoBERTa and BART.

use std::path::Path;

use tokenizers::DecoderWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

use super::super::assembly::Parts;
use super::super::bpe::{self, BpeOptions};
use super::super::class::Class;
use super::super::options::Options;
use super::super::special::BEGIN;
use super::{read_file, read_text};
use crate::Error;

/// The tokenizer without its special tokens.
pub(super) fn read(vocabulary: &Path, merges: &Path, options: &Options) -> Result<Parts, Error> {
    let merges_of_file = read_text(merges, bpe::merges)?;
    let vocabulary = read_file(vocabulary, bpe::vocabulary)?;
    let size = vocabulary.size;
    let model = bpe::model(vocabulary, merges_of_file, BpeOptions::default())
        .map_err(|error| error.in_file(merges))?;
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    let prefix = options.flag("add_prefix_space")?.unwrap_or(false);
    tokenizer.with_pre_tokenizer(Some(ByteLevel::new(prefix, true, true)));
    tokenizer.with_decoder(Some(DecoderWrapper::ByteLevel(ByteLevel::default())));
    Ok(Parts::new(tokenizer, size))
}

/// The class of a vocabulary for which nothing names one: RoBERTa's texts begin with `<s>`.
pub(super) fn class(vocabulary: &Path) -> Result<Class, Error> {
    let vocabulary = read_file(vocabulary, bpe::vocabulary)?;
    Ok(match vocabulary.ids.contains_key(BEGIN) {
        true => Class::Roberta,
        false => Class::Gpt2,
    })
}
