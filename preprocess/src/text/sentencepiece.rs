use tokenizers::decoders::DecoderWrapper;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{self, Precompiled, Replace};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::pre_tokenizers::{self, PreTokenizerWrapper};
use tokenizers::{AddedToken, NormalizerWrapper, Tokenizer};

use super::assembly::Parts;
use super::class::Class;
use super::languages::{LANGUAGES, Language};
use super::options::Options;
use super::protobuf::{Fields, Value};
use super::quoted::quoted;
use super::special::{BEGIN, END, FAIRSEQ, MASK, PAD, SpecialToken, UNKNOWN};
use super::{charsmap, vocabulary};
use crate::Error;

/// The fields of `sentencepiece_model.proto` that a unigram tokenizer needs; the others are skipped.
pub(super) struct Model<'b> {
    pub(super) pieces: Vec<Piece<'b>>,
    /// Unigram is the format's default, so an absent field means unigram.
    kind: i32,
    pub(super) table: Option<&'b [u8]>,
    pub(super) whitespace: Whitespace,
}

/// What SentencePiece does with white space before it splits a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whitespace {
    /// Whether a text begins with a space.
    pub(super) add_dummy_prefix: bool,
    /// Whether several spaces become one, and those at both ends none.
    pub(super) remove_extra: bool,
    /// Whether spaces become U+2581, as pieces have them.
    pub(super) escape: bool,
    /// Whether the dummy is added at the end instead.
    pub(super) as_suffix: bool,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Piece<'b> {
    pub(super) text: &'b str,
    pub(super) score: f32,
    pub(super) kind: Option<i32>,
}

const UNIGRAM: i32 = 1;
pub(super) const NORMAL: i32 = 1;
pub(super) const CONTROL: i32 = 3;
pub(super) const USER_DEFINED: i32 = 4;
pub(super) const UNUSED: i32 = 5;
pub(super) const BYTE: i32 = 6;

/// The first pieces of every file. fairseq replaces them by [`FAIRSEQ`], which has one token more, so the id of every
/// later piece is its position in the file plus one.
const FILE_SPECIALS: [&str; 3] = [UNKNOWN, BEGIN, END];
/// The position of `<unk>` in [`FAIRSEQ`].
const UNKNOWN_ID: usize = 3;

/// The tokenizer of mBART-50 or XLM-R from the bytes of a `sentencepiece.bpe.model`, which is a unigram model despite its
/// name.
pub(super) fn read(bytes: &[u8], class: Class, options: &Options) -> Result<Parts, Error> {
    let model = Model::read(bytes)?;
    let codes = match class {
        Class::XlmRoberta => &[][..],
        _ => &LANGUAGES[..],
    };
    check_kind(&model, codes)?;
    let mut added = match class {
        // Its special tokens are added with those of the options.
        Class::XlmRoberta => Vec::new(),
        _ => special_tokens(codes),
    };
    // transformers 5 gives XLM-R's class either the symbols of this file or the tokens that another one lists.
    if class != Class::XlmRoberta || options.extra.is_empty() {
        added.extend(symbols(&model.pieces));
    }
    let first = match class {
        Class::XlmRoberta => own_names(options),
        _ => [BEGIN, PAD, END, UNKNOWN, MASK],
    };
    let pieces = fairseq_order(&model.pieces, first, codes);
    let size = pieces.len();
    let unigram = vocabulary::unigram(pieces, UNKNOWN_ID, false)?;
    let mut tokenizer = tokenizers::Tokenizer::new(unigram);
    match class {
        Class::XlmRoberta => xlm_roberta_steps(&mut tokenizer, model.table, options)?,
        _ => mbart_steps(&mut tokenizer, model.table)?,
    }
    tokenizer.add_tokens(added).map_err(Error::Tokenize)?;
    Ok(Parts::new(tokenizer, size))
}

fn mbart_steps(tokenizer: &mut Tokenizer, table: Option<&[u8]>) -> Result<(), Error> {
    let mut steps: Vec<NormalizerWrapper> = precompiled(table)?.into_iter().collect();
    // One space for several.
    let spaces =
        Replace::new(ReplacePattern::Regex(" {2,}".to_owned()), " ").map_err(Error::Tokenize)?;
    steps.push(NormalizerWrapper::Replace(spaces));
    tokenizer
        .with_normalizer(Some(normalizers::Sequence::new(steps)))
        .map_err(Error::Tokenize)?;
    let spaces = Metaspace::new('▁', PrependScheme::Always, true);
    tokenizer.with_pre_tokenizer(Some(spaces.clone()));
    tokenizer.with_decoder(Some(DecoderWrapper::Metaspace(spaces)));
    Ok(())
}

/// The steps that transformers 5 gives this class, which are not those of mBART-50.
fn xlm_roberta_steps(
    tokenizer: &mut Tokenizer,
    table: Option<&[u8]>,
    options: &Options,
) -> Result<(), Error> {
    tokenizer
        .with_normalizer(precompiled(table)?)
        .map_err(Error::Tokenize)?;
    let scheme = match options.flag("add_prefix_space")? {
        Some(false) => PrependScheme::Never,
        _ => PrependScheme::Always,
    };
    let spaces = Metaspace::new('▁', scheme, true);
    tokenizer.with_pre_tokenizer(Some(pre_tokenizers::sequence::Sequence::new(vec![
        PreTokenizerWrapper::WhitespaceSplit(WhitespaceSplit),
        PreTokenizerWrapper::Metaspace(spaces.clone()),
    ])));
    tokenizer.with_decoder(Some(DecoderWrapper::Metaspace(spaces)));
    Ok(())
}

impl<'b> Model<'b> {
    pub(super) fn read(bytes: &'b [u8]) -> Result<Self, Error> {
        let mut model = Self {
            pieces: Vec::new(),
            kind: UNIGRAM,
            table: None,
            whitespace: Whitespace {
                add_dummy_prefix: true,
                remove_extra: true,
                escape: true,
                as_suffix: false,
            },
        };
        for field in Fields::new(bytes) {
            match field? {
                (1, Value::Bytes(piece)) => {
                    vocabulary::check_count(model.pieces.len() + 1)?;
                    model.pieces.push(Piece::read(piece)?);
                }
                // The specifications of trainer and normaliser.
                (2, Value::Bytes(trainer)) => {
                    for field in Fields::new(trainer) {
                        match field? {
                            (3, Value::Integer(kind)) => model.kind = kind as i32,
                            (24, Value::Integer(flag)) => model.whitespace.as_suffix = flag != 0,
                            _ => {}
                        }
                    }
                }
                (3, Value::Bytes(normalizer)) => {
                    for field in Fields::new(normalizer) {
                        let whitespace = &mut model.whitespace;
                        match field? {
                            (2, Value::Bytes(table)) => model.table = Some(table),
                            (3, Value::Integer(flag)) => whitespace.add_dummy_prefix = flag != 0,
                            (4, Value::Integer(flag)) => whitespace.remove_extra = flag != 0,
                            (5, Value::Integer(flag)) => whitespace.escape = flag != 0,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(model)
    }
}

impl<'b> Piece<'b> {
    fn read(bytes: &'b [u8]) -> Result<Self, Error> {
        let mut piece = Self::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, Value::Bytes(text)) => {
                    piece.text = std::str::from_utf8(text).map_err(|error| {
                        Error::tokenizer_file("pieces of UTF-8", error.to_string())
                    })?;
                }
                (2, Value::Fixed32(score)) => piece.score = f32::from_le_bytes(score),
                (3, Value::Integer(kind)) => piece.kind = Some(kind as i32),
                _ => {}
            }
        }
        Ok(piece)
    }
}

impl Model<'_> {
    /// Checks that it is a unigram model with pieces.
    pub(super) fn check_unigram(&self) -> Result<(), Error> {
        if self.kind != UNIGRAM {
            let name = match self.kind {
                2 => "BPE",
                3 => "word",
                4 => "character",
                _ => "unknown",
            };
            return Err(Error::TokenizerModel {
                expected: "a unigram model",
                found: format!("a SentencePiece model of type {} ({name})", self.kind),
            });
        }
        match self.pieces.is_empty() {
            true => Err(Error::tokenizer_file("pieces", "an empty vocabulary")),
            false => Ok(()),
        }
    }
}

fn check_kind(model: &Model<'_>, codes: &[Language]) -> Result<(), Error> {
    model.check_unigram()?;
    for (index, expected) in FILE_SPECIALS.into_iter().enumerate() {
        let found = model.pieces.get(index).map_or("", |piece| piece.text);
        if found != expected {
            return Err(Error::tokenizer_file(
                format!("the piece {expected} at position {index}"),
                quoted(found),
            ));
        }
    }
    // A second piece with the text of a special token would take its id.
    let reserved = |piece: &&str| {
        let is_code = codes.iter().any(|language| language.code == *piece);
        is_code || FAIRSEQ.contains(piece) || *piece == MASK
    };
    let others = model.pieces.iter().skip(FILE_SPECIALS.len());
    let mut others = others.map(|piece| piece.text);
    match others.find(reserved) {
        Some(piece) => Err(Error::tokenizer_file(
            "a vocabulary without the special tokens that are added to it",
            format!("the piece {}", quoted(piece)),
        )),
        None => Ok(()),
    }
}

/// The names that options may give to XLM-R's `<s>`, `<pad>`, `</s>`, `<unk>` and `<mask>`.
fn own_names(options: &Options) -> [&str; 5] {
    let roles = [
        (SpecialToken::Bos, BEGIN),
        (SpecialToken::Pad, PAD),
        (SpecialToken::Eos, END),
        (SpecialToken::Unk, UNKNOWN),
        (SpecialToken::Mask, MASK),
    ];
    roles.map(|(role, usual)| {
        let mut named = options.named.iter();
        let own = named.find(|(known, _)| *known == role);
        own.map_or(usual, |(_, token)| &token.content)
    })
}

/// `<s> <pad> </s> <unk>`, the pieces of the file, the language codes, `<mask>`.
fn fairseq_order(
    pieces: &[Piece<'_>],
    [begin, pad, end, unknown, mask]: [&str; 5],
    codes: &[Language],
) -> Vec<(String, f64)> {
    let special = |token: &str| (token.to_owned(), 0.0);
    let pieces = pieces.iter().skip(FILE_SPECIALS.len());
    let pieces = pieces.map(|piece| (piece.text.to_owned(), f64::from(piece.score)));
    let first = [begin, pad, end, unknown].map(special).into_iter();
    let codes = codes.iter().map(|language| special(language.code));
    first
        .chain(pieces)
        .chain(codes)
        .chain([special(mask)])
        .collect()
}

/// Tokens that are recognised where a text spells them out, and that decoding skips.
fn special_tokens(codes: &[Language]) -> Vec<AddedToken> {
    let codes = codes.iter().map(|language| language.code);
    let plain = FAIRSEQ.into_iter().chain(codes);
    let mut tokens: Vec<_> = plain.map(|token| AddedToken::from(token, true)).collect();
    // The mask takes the space before it, so that "a <mask>" has the tokens of "a word".
    tokens.push(AddedToken::from(MASK, true).lstrip(true));
    tokens
}

/// Pieces that the trainer was told never to split: control symbols and user-defined symbols.
fn symbols(pieces: &[Piece<'_>]) -> impl Iterator<Item = AddedToken> {
    pieces
        .iter()
        .skip(FILE_SPECIALS.len())
        .filter_map(|piece| match piece.kind {
            Some(CONTROL) => Some(AddedToken::from(piece.text, true)),
            Some(USER_DEFINED) => Some(AddedToken::from(piece.text, false).normalized(false)),
            _ => None,
        })
}

/// SentencePiece's normalisation table.
fn precompiled(table: Option<&[u8]>) -> Result<Option<NormalizerWrapper>, Error> {
    let Some(table) = table.filter(|table| !table.is_empty()) else {
        return Ok(None);
    };
    charsmap::check(table)?;
    let step = Precompiled::from(table)
        .map_err(|error| Error::tokenizer_file("a normalisation table", error.to_string()))?;
    Ok(Some(NormalizerWrapper::Precompiled(step)))
}
