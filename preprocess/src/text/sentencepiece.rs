use prost::Message;
use tokenizers::decoders::DecoderWrapper;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{Precompiled, Replace, Sequence};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::{AddedToken, NormalizerWrapper};

use super::languages::LANGUAGES;
use super::special::{BEGIN, END, FAIRSEQ, MASK, UNKNOWN};
use super::{charsmap, vocabulary};
use crate::Error;

/// The fields of `sentencepiece_model.proto` that a unigram tokenizer needs; the others are skipped.
#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(message, repeated, tag = "1")]
    pieces: Vec<Piece>,
    #[prost(message, optional, tag = "2")]
    trainer_spec: Option<TrainerSpec>,
    #[prost(message, optional, tag = "3")]
    normalizer_spec: Option<NormalizerSpec>,
}

#[derive(Clone, PartialEq, Message)]
struct Piece {
    #[prost(string, optional, tag = "1")]
    piece: Option<String>,
    #[prost(float, optional, tag = "2")]
    score: Option<f32>,
    #[prost(int32, optional, tag = "3")]
    kind: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct TrainerSpec {
    #[prost(int32, optional, tag = "3")]
    model_type: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct NormalizerSpec {
    #[prost(bytes = "vec", optional, tag = "2")]
    precompiled_charsmap: Option<Vec<u8>>,
}

const UNIGRAM: i32 = 1;
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;

/// The first pieces of every file. fairseq replaces them by [`FAIRSEQ`], which has one token more, so the id of every
/// later piece is its position in the file plus one.
const FILE_SPECIALS: [&str; 3] = [UNKNOWN, BEGIN, END];
/// The position of `<unk>` in [`FAIRSEQ`].
const UNKNOWN_ID: usize = 3;

/// mBART-50's tokenizer from the bytes of a `sentencepiece.bpe.model`, which is a unigram model despite its name.
pub(super) fn read(bytes: &[u8]) -> Result<tokenizers::Tokenizer, Error> {
    let model = ModelProto::decode(bytes).map_err(|error| {
        Error::tokenizer_file(
            "a SentencePiece model (a protocol buffer)",
            error.to_string(),
        )
    })?;
    check_kind(&model)?;
    let table = model
        .normalizer_spec
        .and_then(|spec| spec.precompiled_charsmap);
    let mut added = special_tokens();
    added.extend(symbols(&model.pieces));
    let unigram = vocabulary::unigram(fairseq_order(model.pieces), UNKNOWN_ID, false)?;
    let mut tokenizer = tokenizers::Tokenizer::new(unigram);
    tokenizer
        .with_normalizer(Some(normalizer(table)?))
        .map_err(Error::Tokenize)?;
    let spaces = Metaspace::new('▁', PrependScheme::Always, true);
    tokenizer.with_pre_tokenizer(Some(spaces.clone()));
    tokenizer.with_decoder(Some(DecoderWrapper::Metaspace(spaces)));
    tokenizer.add_tokens(added).map_err(Error::Tokenize)?;
    Ok(tokenizer)
}

fn check_kind(model: &ModelProto) -> Result<(), Error> {
    // Unigram is the format's default, so an absent field means unigram.
    let kind = model
        .trainer_spec
        .as_ref()
        .and_then(|spec| spec.model_type)
        .unwrap_or(UNIGRAM);
    if kind != UNIGRAM {
        let name = match kind {
            2 => "BPE",
            3 => "word",
            4 => "character",
            _ => "unknown",
        };
        return Err(Error::TokenizerModel {
            found: format!("a SentencePiece model of type {kind} ({name})"),
        });
    }
    if model.pieces.is_empty() {
        return Err(Error::tokenizer_file("pieces", "an empty vocabulary"));
    }
    for (index, expected) in FILE_SPECIALS.into_iter().enumerate() {
        let found = model.pieces.get(index).map_or("", text);
        if found != expected {
            return Err(Error::tokenizer_file(
                format!("the piece {expected} at position {index}"),
                format!("{found:?}"),
            ));
        }
    }
    // A second piece with the text of a special token would take its id.
    let reserved = |piece: &&str| {
        let is_code = LANGUAGES.iter().any(|language| language.code == *piece);
        is_code || FAIRSEQ.contains(piece) || *piece == MASK
    };
    let others = model.pieces.iter().skip(FILE_SPECIALS.len()).map(text);
    match others.into_iter().find(reserved) {
        Some(piece) => Err(Error::tokenizer_file(
            "a vocabulary without mBART-50's special tokens, which are added to it",
            format!("the piece {piece:?}"),
        )),
        None => Ok(()),
    }
}

fn text(piece: &Piece) -> &str {
    piece.piece.as_deref().unwrap_or("")
}

/// `<s> <pad> </s> <unk>`, the pieces of the file, the language codes, `<mask>`.
fn fairseq_order(pieces: Vec<Piece>) -> Vec<(String, f64)> {
    let special = |token: &str| (token.to_owned(), 0.0);
    let pieces = pieces.into_iter().skip(FILE_SPECIALS.len()).map(|piece| {
        let score = f64::from(piece.score.unwrap_or(0.0));
        (piece.piece.unwrap_or_default(), score)
    });
    let first = FAIRSEQ.into_iter().map(special);
    let codes = LANGUAGES.into_iter().map(|language| special(language.code));
    first
        .chain(pieces)
        .chain(codes)
        .chain([special(MASK)])
        .collect()
}

/// Tokens that are recognised where a text spells them out, and that decoding skips.
fn special_tokens() -> Vec<AddedToken> {
    let codes = LANGUAGES.map(|language| language.code);
    let plain = FAIRSEQ.into_iter().chain(codes);
    let mut tokens: Vec<_> = plain.map(|token| AddedToken::from(token, true)).collect();
    // The mask takes the space before it, so that "a <mask>" has the tokens of "a word".
    tokens.push(AddedToken::from(MASK, true).lstrip(true));
    tokens
}

/// Pieces that the trainer was told never to split: control symbols and user-defined symbols.
fn symbols(pieces: &[Piece]) -> impl Iterator<Item = AddedToken> {
    pieces
        .iter()
        .skip(FILE_SPECIALS.len())
        .filter_map(|piece| match piece.kind {
            Some(CONTROL) => Some(AddedToken::from(text(piece), true)),
            Some(USER_DEFINED) => Some(AddedToken::from(text(piece), false).normalized(false)),
            _ => None,
        })
}

/// SentencePiece's normalisation table, then one space for several.
fn normalizer(table: Option<Vec<u8>>) -> Result<NormalizerWrapper, Error> {
    let mut steps = Vec::with_capacity(2);
    if let Some(table) = table.filter(|table| !table.is_empty()) {
        charsmap::check(&table)?;
        let step = Precompiled::from(&table)
            .map_err(|error| Error::tokenizer_file("a normalisation table", error.to_string()))?;
        steps.push(NormalizerWrapper::Precompiled(step));
    }
    let spaces =
        Replace::new(ReplacePattern::Regex(" {2,}".to_owned()), " ").map_err(Error::Tokenize)?;
    steps.push(NormalizerWrapper::Replace(spaces));
    Ok(NormalizerWrapper::Sequence(Sequence::new(steps)))
}
