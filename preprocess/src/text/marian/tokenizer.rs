use std::collections::HashMap;
use std::path::Path;

use whole_files::limits;

use super::normalizer::SPACE;
use super::options::{Options, SpecialTokens};
use super::pieces::SentencePieces;
use super::vocabulary::Vocabulary;
use crate::Error;
use crate::text::limits::{PIECE_BYTES, SPECIAL_TOKENS};

/// The tokenizer of Marian's translation models (`Helsinki-NLP/opus-mt-*`), which gives the same ids and texts as
/// Hugging Face's `MarianTokenizer` without the package `sacremoses`: punctuation is not normalised.
///
/// A text is split into the pieces of the source language's SentencePiece model, whose ids a `vocab.json` has; a piece
/// that it does not have is `<unk>`. `</s>` ends the text. Models that write several languages are told by a first
/// token such as `>>fra<<`, which a text may begin with too.
///
/// ```
/// use preprocess::text::MarianTokenizer;
///
/// # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/marian");
/// let tokenizer = MarianTokenizer::from_folder(folder)?;
/// let ids = tokenizer.encode("A red apple.", None, None)?;
/// assert_eq!(ids.last(), tokenizer.token_id("</s>").as_ref());
/// assert_eq!(tokenizer.decode(&ids, true), "A red apple.");
/// # Ok::<(), preprocess::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MarianTokenizer {
    source: SentencePieces,
    target: SentencePieces,
    vocabulary: Vocabulary,
    /// If the target language has its own.
    target_vocabulary: Option<Vocabulary>,
    /// The special tokens that texts may spell out, the longest first, with their ids.
    spelled: Vec<(String, u32)>,
    /// The special tokens by their ids. Where several have one id, the first counts.
    special: HashMap<u32, String>,
    end: u32,
    unknown: u32,
    padding: u32,
    max_length: Option<usize>,
    languages: [Option<String>; 2],
}

/// The fewest tokens of a text: a language and `</s>`.
const FRAME: usize = 2;

impl MarianTokenizer {
    /// The names of the files that a folder may have. The first three are required.
    pub const FILES: [&str; 5] = [
        "source.spm",
        "target.spm",
        "vocab.json",
        "target_vocab.json",
        "tokenizer_config.json",
    ];

    /// Reads the tokenizer of a checkpoint's folder: `source.spm`, `target.spm`, `vocab.json` and, where they exist,
    /// `tokenizer_config.json` and `target_vocab.json`.
    ///
    /// # Errors
    /// - [`Error::Read`] if a file is missing or can't be read.
    /// - [`Error::File`] around [`Error::Json`], [`Error::TokenizerModel`], [`Error::TokenizerPart`] or
    ///   [`Error::TokenizerFile`] if its content can't be used.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        let [source, target, vocabulary, target_vocabulary, config] = Self::FILES;
        let options = match whole_files::read_text(folder.join(config), limits::VOCABULARY) {
            Ok(json) => Options::read(&json).map_err(|e| e.in_file(&folder.join(config)))?,
            Err(error) if error.is_not_found() => Options::default(),
            Err(error) => return Err(error.into()),
        };
        let pieces = |name| read(folder, name, SentencePieces::read);
        let vocabulary_of = |name| read(folder, name, Vocabulary::read);
        let vocabulary_path = folder.join(vocabulary);
        let vocabulary = vocabulary_of(vocabulary)?;
        let target_vocabulary = match options.separate_vocabs {
            Some(true) => Some(vocabulary_of(target_vocabulary)?),
            _ => None,
        };
        Self::new(
            [pieces(source)?, pieces(target)?],
            vocabulary,
            target_vocabulary,
            &options,
        )
        .map_err(|error| error.in_file(&vocabulary_path))
    }

    fn new(
        [source, target]: [SentencePieces; 2],
        vocabulary: Vocabulary,
        target_vocabulary: Option<Vocabulary>,
        options: &Options,
    ) -> Result<Self, Error> {
        let special = options.special_tokens();
        let id = |token: &str| {
            let missing = || Error::tokenizer_file(format!("the special token {token}"), "none");
            vocabulary.id(token).ok_or_else(missing)
        };
        let SpecialTokens {
            end,
            unknown,
            padding,
            others,
        } = special;
        let [end_id, unknown_id, padding_id] = [id(&end)?, id(&unknown)?, id(&padding)?];
        let mut special = HashMap::new();
        let mut spelled = Vec::new();
        if others.len() > SPECIAL_TOKENS {
            return Err(Error::tokenizer_file(
                format!("at most {SPECIAL_TOKENS} additional special tokens"),
                others.len().to_string(),
            ));
        }
        for token in [end, unknown, padding].into_iter().chain(others) {
            if token.len() > PIECE_BYTES {
                return Err(Error::tokenizer_file(
                    format!("special tokens of at most {PIECE_BYTES} bytes"),
                    format!("one of {}", token.len()),
                ));
            }
            let id = id(&token)?;
            special.entry(id).or_insert_with(|| token.clone());
            if !token.is_empty() {
                spelled.push((token, id));
            }
        }
        spelled.sort_by_key(|(token, _)| std::cmp::Reverse(token.len()));
        Ok(Self {
            source,
            target,
            vocabulary,
            target_vocabulary,
            end: end_id,
            unknown: unknown_id,
            padding: padding_id,
            spelled,
            special,
            max_length: options.max_length(),
            languages: [options.source_lang.clone(), options.target_lang.clone()],
        })
    }

    /// Token ids of a text: a token for `language`, if one is given, the pieces and `</s>`. Pieces are left out at the
    /// end until there are at most `max_length` tokens.
    ///
    /// `language` is the target language of a model that writes several: `fra` or `>>fra<<`. Special tokens that are
    /// spelled out in the text become their ids, as in Python.
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`] if the vocabulary has no such language; [`Error::MaxLength`] if `max_length` is below
    /// 2.
    pub fn encode(
        &self,
        text: &str,
        language: Option<&str>,
        max_length: Option<usize>,
    ) -> Result<Vec<u32>, Error> {
        let mut ids = Vec::new();
        if let Some(language) = language {
            ids.push(self.language_id(language)?);
        }
        let mut rest = text;
        let mut may_have_language = language.is_none();
        while !rest.is_empty() {
            let (plain, special, after) = self.next_special(rest);
            if !plain.is_empty() {
                self.encode_plain(plain, may_have_language, &mut ids);
                may_have_language = language.is_none();
            }
            ids.extend(special);
            rest = after;
        }
        if let Some(max_length) = max_length {
            if max_length < FRAME {
                return Err(Error::MaxLength { max_length });
            }
            ids.truncate(max_length - 1);
        }
        ids.push(self.end);
        Ok(ids)
    }

    /// The text before the first special token, the id of that token, and the text after it.
    fn next_special<'t>(&self, text: &'t str) -> (&'t str, Option<u32>, &'t str) {
        for (start, _) in text.char_indices() {
            let from = &text[start..];
            let mut tokens = self.spelled.iter();
            // Of several, the longest.
            if let Some((token, id)) = tokens.find(|(token, _)| from.starts_with(token.as_str())) {
                return (&text[..start], Some(*id), &from[token.len()..]);
            }
        }
        (text, None, "")
    }

    /// Adds the ids of a text without special tokens, which may begin with a language.
    fn encode_plain(&self, mut text: &str, may_have_language: bool, ids: &mut Vec<u32>) {
        let id = |piece: &str| self.vocabulary.id(piece).unwrap_or(self.unknown);
        if may_have_language
            && text.starts_with(">>")
            && let Some(end) = text.find("<<")
        {
            let (code, after) = text.split_at(end + 2);
            ids.push(id(code));
            text = after;
        }
        self.source.encode(text, |piece| ids.push(id(piece)));
    }

    /// The text of ids of the target language, with or without special tokens. Ids outside the vocabulary are left
    /// out.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> String {
        let (pieces, vocabulary) = match &self.target_vocabulary {
            Some(own) => (&self.target, own),
            // As in Python, where it makes no difference: what a model does not know is kept as it is.
            None => (&self.source, &self.vocabulary),
        };
        let mut text = String::new();
        let mut plain = Vec::new();
        for id in ids {
            let special = self.special.get(id);
            if special.is_some() && skip_special_tokens {
                continue;
            }
            match special {
                Some(token) => {
                    text += &pieces.decode(&plain);
                    text += token;
                    text.push(' ');
                    plain.clear();
                }
                None => plain.extend(vocabulary.piece(*id)),
            }
        }
        text += &pieces.decode(&plain);
        text.replace(SPACE, " ").trim().to_owned()
    }

    /// The id of a target language, `fra` or `>>fra<<`.
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`], which lists the vocabulary's codes, if it has no such language.
    pub fn language_id(&self, language: &str) -> Result<u32, Error> {
        let code = language.strip_prefix(">>").unwrap_or(language);
        let code = code.strip_suffix("<<").unwrap_or(code);
        let found = self.languages().find(|(known, _)| *known == code);
        found
            .map(|(_, id)| id)
            .ok_or_else(|| Error::UnknownLanguage {
                code: language.to_owned(),
                known: self
                    .languages()
                    .map(|(known, _)| known.to_owned())
                    .collect(),
            })
    }

    /// The languages that the model can be told to write, in alphabetical order of their codes, and the ids of their
    /// tokens. Most models write one language and have none.
    pub fn languages(&self) -> impl Iterator<Item = (&str, u32)> {
        self.vocabulary.languages()
    }

    /// The source and the target language, where `tokenizer_config.json` names them.
    pub fn language_pair(&self) -> [Option<&str>; 2] {
        self.languages.each_ref().map(Option::as_deref)
    }

    /// The id of a token of the source language as the vocabulary spells it (`"</s>"`, `"▁dog"`).
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.vocabulary.id(token)
    }

    /// The id of `<pad>`, which fills up shorter texts and begins every translation.
    pub fn padding_id(&self) -> u32 {
        self.padding
    }

    /// Number of tokens of the source language, including special tokens: the largest id plus one.
    pub fn vocab_size(&self) -> usize {
        self.vocabulary.size()
    }

    /// Number of tokens of the target language, including special tokens: the largest id plus one.
    pub fn target_vocab_size(&self) -> usize {
        let own = self.target_vocabulary.as_ref();
        own.unwrap_or(&self.vocabulary).size()
    }

    /// Most tokens of a text, `</s>` included, if there is a limit: `model_max_length`.
    pub fn max_length(&self) -> Option<usize> {
        self.max_length
    }
}

/// Reads a file of a folder.
fn read<T>(
    folder: &Path,
    name: &str,
    parse: impl FnOnce(&[u8]) -> Result<T, Error>,
) -> Result<T, Error> {
    let path = folder.join(name);
    let bytes = whole_files::read(&path, limits::VOCABULARY)?;
    parse(&bytes).map_err(|error| error.in_file(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tokenizer_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<MarianTokenizer>();
    }
}
