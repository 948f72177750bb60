use std::path::Path;

use tokenizers::AddedToken;
use whole_files::limits;

use super::languages::{LANGUAGES, Language};
use super::special::END;
use super::template::template;
use super::{own_codes, sentencepiece, tokenizer_json};
use crate::Error;

/// mBART-50's tokenizer, which gives the same ids and texts as Hugging Face's `MBart50Tokenizer`.
///
/// The ids are fairseq's: `<s>` 0, `<pad>` 1, `</s>` 2, `<unk>` 3, then the pieces, the 52 language codes and `<mask>`.
/// In the published vocabulary of 250,054 tokens, `ar_AR` is 250001 and `<mask>` is 250053. Special tokens that a
/// `tokenizer.json` adds are languages too if they are spelled like one: `ca_ES`, `ast_ES` or `cat_Latn`.
///
/// ```no_run
/// use preprocess::text::Tokenizer;
///
/// let tokenizer = Tokenizer::from_folder("checkpoint")?;
/// let ids = tokenizer.encode("A red apple.", "en_XX", Some(64))?; // en_XX, the pieces, </s>
/// assert_eq!(tokenizer.decode(&ids, true)?, "A red apple.");
/// # Ok::<(), preprocess::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tokenizer {
    /// Complete, as it is saved. Only other readers of the file use its post-processor: it has one fixed language, so
    /// `encode` adds the language and the end itself.
    pub(super) inner: tokenizers::Tokenizer,
    /// Languages and their ids, in the order of [`LANGUAGES`], then others in the order of their ids; at least one.
    pub(super) languages: Vec<(Language, u32)>,
    end: u32,
}

pub(super) const TOKENIZER_JSON: &str = "tokenizer.json";

/// A file name and the function that reads the bytes of such a file.
type Format = (&'static str, fn(&[u8]) -> Result<Tokenizer, Error>);

/// In the order of preference: Hugging Face saves the first today, and it may hold tokens that were added later.
const FORMATS: [Format; 2] = [
    (TOKENIZER_JSON, Tokenizer::from_tokenizer_json_bytes),
    (
        "sentencepiece.bpe.model",
        Tokenizer::from_sentencepiece_bytes,
    ),
];

/// Number of tokens around every text: the language code and `</s>`.
const FRAME: usize = 2;

impl Tokenizer {
    /// Reads the `tokenizer.json` of a checkpoint's folder or, if there is none, its `sentencepiece.bpe.model`.
    ///
    /// # Errors
    /// - [`Error::NoTokenizer`] if the folder has neither file.
    /// - [`Error::Read`] if the file can't be read.
    /// - [`Error::File`] around [`Error::Json`], [`Error::TokenizerModel`], [`Error::TokenizerPart`],
    ///   [`Error::TokenizerFile`] or [`Error::Tokenize`] if its content can't be used.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        for (name, read) in FORMATS {
            let path = folder.join(name);
            if path.exists() {
                return from_file(&path, read);
            }
        }
        Err(Error::NoTokenizer {
            folder: folder.to_owned(),
            expected: FORMATS.iter().map(|(name, _)| *name).collect(),
        })
    }

    /// Reads a `sentencepiece.bpe.model`.
    ///
    /// # Errors
    /// - [`Error::Read`] if the file can't be read.
    /// - [`Error::File`] around [`Error::TokenizerModel`] if it is not a unigram model; around
    ///   [`Error::TokenizerFile`] if it is damaged or already holds mBART-50's special tokens.
    pub fn from_sentencepiece(path: impl AsRef<Path>) -> Result<Self, Error> {
        from_file(path.as_ref(), Self::from_sentencepiece_bytes)
    }

    /// Reads the bytes of a `sentencepiece.bpe.model`.
    ///
    /// # Errors
    /// [`Error::TokenizerModel`] if it is not a unigram model; [`Error::TokenizerFile`] if it is damaged or already
    /// holds mBART-50's special tokens.
    pub fn from_sentencepiece_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::new(sentencepiece::read(bytes)?)
    }

    /// Reads a `tokenizer.json` that Hugging Face's `save_pretrained` wrote for an mBART-50 tokenizer.
    ///
    /// # Errors
    /// - [`Error::Read`] if the file can't be read.
    /// - [`Error::File`] around [`Error::Json`] if it is not JSON of the expected structure; around
    ///   [`Error::TokenizerModel`] if its model is not a unigram model; around [`Error::TokenizerPart`] if a step or an
    ///   added token is of a kind that is not supported; around [`Error::TokenizerFile`] if its tokens have other ids
    ///   than it says, if its vocabulary or its normalisation table is damaged or too large, or if it has no `</s>` or
    ///   no language code; around [`Error::Tokenize`] if the `tokenizers` crate refuses one of its parts.
    pub fn from_tokenizer_json(path: impl AsRef<Path>) -> Result<Self, Error> {
        from_file(path.as_ref(), Self::from_tokenizer_json_bytes)
    }

    /// Reads the bytes of a `tokenizer.json`.
    ///
    /// A file may name any steps before and after its model. Those that the unigram tokenizers of transformers 4 and 5
    /// have are taken from the file as they are; all others are refused by name, since some of them fail on some texts
    /// or take time and memory without bound. Post-processor, truncation and padding are not read:
    /// [`encode`](Self::encode) adds the language and the end, and has an argument for the length.
    ///
    /// # Errors
    /// [`Error::Json`] if the bytes are not JSON of the expected structure; [`Error::TokenizerModel`] if the model is
    /// not a unigram model; [`Error::TokenizerPart`] if a step or an added token is of a kind that is not supported;
    /// [`Error::TokenizerFile`] if its tokens have other ids than the file says, if its vocabulary or its normalisation
    /// table is damaged or too large, or if it has no `</s>` or no language code; [`Error::Tokenize`] if the
    /// `tokenizers` crate refuses one of its parts.
    pub fn from_tokenizer_json_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::new(tokenizer_json::read(bytes)?)
    }

    fn new(mut inner: tokenizers::Tokenizer) -> Result<Self, Error> {
        let end = inner
            .token_to_id(END)
            .ok_or_else(|| Error::tokenizer_file(format!("the token {END}"), "none"))?;
        let languages = languages(&inner);
        if languages.is_empty() {
            return Err(Error::tokenizer_file(
                "language codes such as mBART-50's",
                "none",
            ));
        }
        inner.with_post_processor(Some(template(&languages, end)?));
        Ok(Self {
            inner,
            languages,
            end,
        })
    }

    /// Gives a language a token, as Hugging Face's `add_special_tokens` does, and returns the id: that of the token if
    /// the vocabulary has it, otherwise the next after [`vocab_size`](Self::vocab_size).
    ///
    /// A model needs a row for the token then: see `Pretrained::from_folder_with_tokens` of the crate `pretrained`.
    ///
    /// # Errors
    /// [`Error::LanguageCode`] if `code` is not of the form `ca_ES`, `ast_ES` or `cat_Latn`, or if a process has met
    /// 1,000 codes that are in neither [`LANGUAGES`] nor [`MORE_LANGUAGES`](super::MORE_LANGUAGES);
    /// [`Error::Tokenize`] if the `tokenizers` crate can't add a token.
    pub fn add_language(&mut self, code: &str) -> Result<u32, Error> {
        let language = own_codes::declare(code).ok_or_else(|| Error::LanguageCode {
            found: code.to_owned(),
        })?;
        let token = AddedToken::from(language.code, true);
        self.inner.add_tokens([token]).map_err(Error::Tokenize)?;
        self.languages = languages(&self.inner);
        let template = template(&self.languages, self.end)?;
        self.inner.with_post_processor(Some(template));
        self.language_id(code)
    }

    /// Token ids of `text`: `[language] pieces </s>`, where pieces are left out at the end until there are at most
    /// `max_length` tokens.
    ///
    /// Special tokens that are spelled out in the text (`</s>`, `es_XX`) become their ids, as in Python.
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`] if the tokenizer has no such language code; [`Error::MaxLength`] if `max_length` is
    /// below 2; [`Error::Tokenize`] if the text can't be split into pieces.
    pub fn encode(
        &self,
        text: &str,
        language: &str,
        max_length: Option<usize>,
    ) -> Result<Vec<u32>, Error> {
        let language = self.language_id(language)?;
        let room = match max_length {
            Some(max_length) => max_length
                .checked_sub(FRAME)
                .ok_or(Error::MaxLength { max_length })?,
            None => usize::MAX,
        };
        let pieces = self.pieces(text)?;
        let pieces = &pieces[..pieces.len().min(room)];
        let mut ids = Vec::with_capacity(pieces.len() + FRAME);
        ids.push(language);
        ids.extend_from_slice(pieces);
        ids.push(self.end);
        Ok(ids)
    }

    /// Token ids of `text` without a language code and `</s>`: a prefix for generation, or a phrase to look for.
    ///
    /// # Errors
    /// [`Error::Tokenize`] if the text can't be split into pieces.
    pub fn pieces(&self, text: &str) -> Result<Vec<u32>, Error> {
        let encoding = self
            .inner
            .encode_fast(text, false)
            .map_err(Error::Tokenize)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of `ids`, with or without special tokens, which include the language codes.
    ///
    /// Ids outside the vocabulary are left out, and spaces before punctuation stay, as in Python. To decode ids as they
    /// come, see [`text_stream`](Self::text_stream).
    ///
    /// # Errors
    /// [`Error::Tokenize`] if the decoder of a `tokenizer.json` fails.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String, Error> {
        self.inner
            .decode(ids, skip_special_tokens)
            .map_err(Error::Tokenize)
    }

    /// The texts of several sequences of ids, each as [`decode`](Self::decode) gives it.
    ///
    /// # Errors
    /// [`Error::Tokenize`] if the decoder of a `tokenizer.json` fails.
    pub fn decode_batch<R: AsRef<[u32]>>(
        &self,
        rows: &[R],
        skip_special_tokens: bool,
    ) -> Result<Vec<String>, Error> {
        rows.iter()
            .map(|row| self.decode(row.as_ref(), skip_special_tokens))
            .collect()
    }

    /// The id of a language code, for example of `"es_XX"`.
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`], which lists the tokenizer's codes, if it has no such code.
    pub fn language_id(&self, code: &str) -> Result<u32, Error> {
        match self.languages().find(|(known, _)| known.code == code) {
            Some((_, id)) => Ok(id),
            None => Err(Error::UnknownLanguage {
                code: code.to_owned(),
                known: self
                    .languages()
                    .map(|(known, _)| known.code.to_owned())
                    .collect(),
            }),
        }
    }

    /// The languages that this tokenizer has tokens for, with the ids of these tokens.
    pub fn languages(&self) -> impl Iterator<Item = (Language, u32)> + '_ {
        self.languages.iter().copied()
    }

    /// The id of a token as the vocabulary spells it (`"</s>"`, `"▁dog"`).
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The token with this id as the vocabulary spells it.
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Number of tokens, including special tokens: the largest id plus one.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }
}

/// The languages that have tokens. A language of mBART-50 need not be marked as special, as in files of its own.
fn languages(tokenizer: &tokenizers::Tokenizer) -> Vec<(Language, u32)> {
    let of_mbart = LANGUAGES
        .into_iter()
        .filter_map(|language| Some((language, tokenizer.token_to_id(language.code)?)));
    let mut added: Vec<_> = tokenizer.get_added_tokens_decoder().into_iter().collect();
    added.sort_unstable_by_key(|(id, _)| *id);
    let others = added
        .into_iter()
        .filter(|(_, token)| token.special)
        .filter_map(|(id, token)| Some((own_codes::declare(&token.content)?, id)))
        .filter(|(language, _)| !LANGUAGES.contains(language));
    of_mbart.chain(others).collect()
}

fn from_file(path: &Path, read: fn(&[u8]) -> Result<Tokenizer, Error>) -> Result<Tokenizer, Error> {
    whole_files::read(path, limits::VOCABULARY)
        .map_err(Error::Read)
        .and_then(|bytes| read(&bytes))
        .map_err(|error| error.in_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tokenizer_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Tokenizer>();
    }
}
