//! `vocab.txt`: WordPiece, of BERT and its relatives.

use tokenizers::DecoderWrapper;
use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;

use super::super::assembly::Parts;
use super::super::class::Class;
use super::super::limits;
use super::super::options::Options;
use super::super::special::SpecialToken;
use super::super::vocabulary_ids::VocabularyIds;
use crate::Error;

/// What a token within a word begins with.
pub(super) const CONTINUATION: &str = "##";

/// The tokenizer without its special tokens.
pub(super) fn read(text: &str, options: &Options) -> Result<Parts, Error> {
    // The `tokenizers` crate, which reads this file in Python too, takes white space off the end.
    let vocabulary = VocabularyIds::in_order(text.lines().map(str::trim_end))?;
    let size = vocabulary.size;
    let unknown = unknown(options);
    let mut tokenizer = tokenizers::Tokenizer::new(model(vocabulary, unknown)?);
    let normalizer = BertNormalizer::new(
        true,
        options.flag("tokenize_chinese_chars")?.unwrap_or(true),
        options.flag("strip_accents")?,
        options.flag("do_lower_case")?.unwrap_or(true),
    );
    tokenizer
        .with_normalizer(Some(normalizer))
        .map_err(Error::Tokenize)?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    tokenizer.with_decoder(Some(decoder(true)));
    Ok(Parts::new(tokenizer, size))
}

/// The model of a vocabulary.
pub(super) fn model(vocabulary: VocabularyIds, unknown: String) -> Result<WordPiece, Error> {
    vocabulary.check_unknown(&unknown)?;
    WordPiece::builder()
        .vocab(vocabulary.ids)
        .unk_token(unknown)
        .continuing_subword_prefix(CONTINUATION.to_owned())
        .max_input_chars_per_word(limits::WORD_CHARACTERS)
        .build()
        .map_err(Error::Tokenize)
}

/// The decoder, which takes spaces before punctuation out of each token if it cleans up.
pub(super) fn decoder(cleans_up: bool) -> DecoderWrapper {
    DecoderWrapper::WordPiece(WordPieceDecoder::new(CONTINUATION.to_owned(), cleans_up))
}

/// The token for words that the vocabulary lacks.
pub(super) fn unknown(options: &Options) -> String {
    let mut named = options.named.iter();
    let own = named.find(|(role, _)| *role == SpecialToken::Unk);
    let defaults = Class::Bert.special_tokens().iter();
    let mut defaults = defaults.filter(|(role, _)| *role == SpecialToken::Unk);
    match own {
        Some((_, token)) => token.content.clone(),
        None => defaults
            .next()
            .map_or_else(String::new, |(_, token)| (*token).to_owned()),
    }
}
