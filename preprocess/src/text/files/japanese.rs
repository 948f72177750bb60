//! `vocab.txt` of `BertJapaneseTokenizer`, whose texts a Japanese dictionary splits into words first.

use tokenizers::NormalizerWrapper;
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::normalizers::{BertNormalizer, Lowercase, NFC, NFKC, Sequence};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::pre_tokenizers::fixed_length::FixedLength;
use tokenizers::pre_tokenizers::sequence::Sequence as Steps;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;

use super::super::assembly::Parts;
use super::super::options::Options;
use super::super::quoted::quoted;
use super::super::vocabulary_ids::VocabularyIds;
use super::word_piece;
use crate::Error;

/// What splits a text into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Words {
    /// White space and punctuation.
    Basic,
    /// A program with a dictionary.
    Dictionary(&'static str),
    /// Nothing: a text is one word.
    None,
}

/// The tokenizer without its special tokens.
///
/// Of a vocabulary of characters, it does not matter where words begin, so no dictionary is needed; MeCab leaves out the
/// white space, which is in no published vocabulary. With WordPiece, a tokenizer that needs a dictionary can only decode.
pub(super) fn read(text: &str, options: &Options) -> Result<Parts, Error> {
    let vocabulary = VocabularyIds::in_order(text.lines())?;
    let size = vocabulary.size;
    let words = words(options)?;
    let lowercase = options.flag("do_lower_case")?.unwrap_or(false);
    if options.flag("do_subword_tokenize")? == Some(false) {
        return Err(refuse("do_subword_tokenize", "true", "false"));
    }
    let unknown = word_piece::unknown(options);
    let kind = options.text("subword_tokenizer_type")?;
    let mut tokenizer = match kind.unwrap_or("wordpiece") {
        "character" => characters(vocabulary, unknown, words, lowercase)?,
        "wordpiece" => pieces(vocabulary, unknown, words, lowercase)?,
        other => {
            let expected = "character or wordpiece";
            return Err(refuse("subword_tokenizer_type", expected, &quoted(other)));
        }
    };
    tokenizer.with_decoder(Some(word_piece::decoder(false)));
    let mut parts = Parts::new(tokenizer, size);
    parts.word_splitter = match (kind, words) {
        // These keep white space, or change words.
        (Some("character"), Words::Dictionary("MeCab")) => None,
        (_, Words::Dictionary(program)) => Some(program),
        _ => None,
    };
    Ok(parts)
}

fn words(options: &Options) -> Result<Words, Error> {
    if options.flag("do_word_tokenize")? == Some(false) {
        return Ok(Words::None);
    }
    match options.text("word_tokenizer_type")?.unwrap_or("basic") {
        "basic" => Ok(Words::Basic),
        "mecab" => Ok(Words::Dictionary("MeCab")),
        "sudachi" => Ok(Words::Dictionary("Sudachi")),
        "jumanpp" => Ok(Words::Dictionary("Juman++")),
        other => Err(refuse(
            "word_tokenizer_type",
            "basic, mecab, sudachi or jumanpp",
            &quoted(other),
        )),
    }
}

/// A token for each character of the normalised text.
fn characters(
    vocabulary: VocabularyIds,
    unknown: String,
    words: Words,
    lowercase: bool,
) -> Result<tokenizers::Tokenizer, Error> {
    vocabulary.check_unknown(&unknown)?;
    let model = WordLevel::builder()
        .vocab(vocabulary.ids)
        .unk_token(unknown)
        .build()
        .map_err(Error::Tokenize)?;
    let mut steps = Vec::new();
    match words {
        Words::Basic => steps.extend(basic(lowercase)),
        _ => steps.push(NormalizerWrapper::NFKC(NFKC)),
    }
    match words {
        Words::Basic => steps.push(NormalizerWrapper::NFKC(NFKC)),
        Words::Dictionary(_) if lowercase => {
            steps.push(NormalizerWrapper::Lowercase(Lowercase));
        }
        _ => {}
    }
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    tokenizer
        .with_normalizer(Some(Sequence::new(steps)))
        .map_err(Error::Tokenize)?;
    let single = PreTokenizerWrapper::FixedLength(FixedLength::new(1));
    let space = PreTokenizerWrapper::WhitespaceSplit(WhitespaceSplit);
    tokenizer.with_pre_tokenizer(Some(match words {
        Words::None => single,
        _ => PreTokenizerWrapper::Sequence(Steps::new(vec![space, single])),
    }));
    Ok(tokenizer)
}

/// WordPiece, as it encodes texts that need no dictionary.
fn pieces(
    vocabulary: VocabularyIds,
    unknown: String,
    words: Words,
    lowercase: bool,
) -> Result<tokenizers::Tokenizer, Error> {
    let mut tokenizer = tokenizers::Tokenizer::new(word_piece::model(vocabulary, unknown)?);
    if words == Words::None {
        tokenizer.with_pre_tokenizer(Some(WhitespaceSplit));
        return Ok(tokenizer);
    }
    tokenizer
        .with_normalizer(Some(Sequence::new(basic(lowercase).into())))
        .map_err(Error::Tokenize)?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    Ok(tokenizer)
}

/// The normalisation of `BasicTokenizer`.
fn basic(lowercase: bool) -> [NormalizerWrapper; 2] {
    let normalizer = BertNormalizer::new(true, false, None, lowercase);
    [
        NormalizerWrapper::NFC(NFC),
        NormalizerWrapper::BertNormalizer(normalizer),
    ]
}

fn refuse(key: &str, expected: &str, found: &str) -> Error {
    Error::Config {
        key: key.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
