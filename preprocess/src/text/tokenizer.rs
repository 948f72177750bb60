use std::fs;
use std::path::Path;

use super::languages::LANGUAGE_CODES;
use super::{save, sentencepiece, tokenizer_json};
use crate::Error;

/// mBART-50's tokenizer, equal to Hugging Face's `MBart50Tokenizer`.
///
/// Ids are fairseq's: `<s>` 0, `<pad>` 1, `</s>` 2, `<unk>` 3, then the pieces, the 52 language codes and `<mask>`.
/// With the published vocabulary of 250,054 tokens, `ar_AR` is 250001 and `<mask>` 250053.
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
    /// Complete, as it is saved: its post-processor is for those who read the file, `encode` frames texts itself.
    pub(super) inner: tokenizers::Tokenizer,
    /// Codes and their ids, in the order of [`LANGUAGE_CODES`]; at least one.
    pub(super) languages: Vec<(&'static str, u32)>,
    end: u32,
}

pub(super) const TOKENIZER_JSON: &str = "tokenizer.json";

/// A file name and the function that reads such a file.
type Format = (&'static str, fn(&[u8]) -> Result<Tokenizer, Error>);

/// In the order of preference: the first is what Hugging Face saves today and may hold tokens that were added later.
const FORMATS: [Format; 2] = [
    (TOKENIZER_JSON, Tokenizer::from_tokenizer_json_bytes),
    (
        "sentencepiece.bpe.model",
        Tokenizer::from_sentencepiece_bytes,
    ),
];

/// The token that ends every text.
pub(super) const END: &str = "</s>";

/// Tokens around every text: the language code and `</s>`.
const FRAME: usize = 2;

impl Tokenizer {
    /// Reads `tokenizer.json` or else `sentencepiece.bpe.model` of a checkpoint's folder.
    ///
    /// # Errors
    /// [`Error::NoTokenizer`] if the folder has neither, or those of the function for the file that it has.
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
    /// [`Error::Read`] or those of [`from_sentencepiece_bytes`](Self::from_sentencepiece_bytes), inside
    /// [`Error::File`], which names the file.
    pub fn from_sentencepiece(path: impl AsRef<Path>) -> Result<Self, Error> {
        from_file(path.as_ref(), Self::from_sentencepiece_bytes)
    }

    /// Reads the bytes of a `sentencepiece.bpe.model`.
    ///
    /// # Errors
    /// [`Error::TokenizerFile`] if it is damaged, is no unigram model or already holds mBART-50's special tokens.
    pub fn from_sentencepiece_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::new(sentencepiece::read(bytes)?)
    }

    /// Reads a `tokenizer.json` that Hugging Face's `save_pretrained` wrote for an mBART-50 tokenizer.
    ///
    /// # Errors
    /// [`Error::Read`] or those of [`from_tokenizer_json_bytes`](Self::from_tokenizer_json_bytes), inside
    /// [`Error::File`], which names the file.
    pub fn from_tokenizer_json(path: impl AsRef<Path>) -> Result<Self, Error> {
        from_file(path.as_ref(), Self::from_tokenizer_json_bytes)
    }

    /// Reads the bytes of a `tokenizer.json`. Normaliser, splitting and decoder are taken from the file as they are.
    ///
    /// # Errors
    /// [`Error::Json`], or [`Error::TokenizerFile`] if the model is no unigram model, if its tokens have other ids
    /// than the file says, or if it has no `</s>` or no language code.
    pub fn from_tokenizer_json_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::new(tokenizer_json::read(bytes)?)
    }

    fn new(mut inner: tokenizers::Tokenizer) -> Result<Self, Error> {
        let end = inner
            .token_to_id(END)
            .ok_or_else(|| Error::tokenizer_file(format!("the token {END}"), "none"))?;
        let languages: Vec<_> = LANGUAGE_CODES
            .into_iter()
            .filter_map(|code| Some((code, inner.token_to_id(code)?)))
            .collect();
        if languages.is_empty() {
            return Err(Error::tokenizer_file(
                "mBART-50's language codes",
                "none of them",
            ));
        }
        inner.with_post_processor(Some(save::frame(&languages, end)?));
        Ok(Self {
            inner,
            languages,
            end,
        })
    }

    /// Token ids of `text`: `[language] pieces </s>`, cut to `max_length` tokens with the frame kept.
    ///
    /// Special tokens that stand in the text literally (`</s>`, `es_XX`) become their ids, as in Python.
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`]; [`Error::MaxLength`] if `max_length` is below 2; [`Error::Tokenize`].
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

    /// Token ids of `text` alone, without language and end: to begin a text with, or to look for in one.
    ///
    /// # Errors
    /// [`Error::Tokenize`].
    pub fn pieces(&self, text: &str) -> Result<Vec<u32>, Error> {
        // Without special tokens: the frame is ours, for a tokenizer has one fixed language only.
        let encoding = self
            .inner
            .encode_fast(text, false)
            .map_err(Error::tokenize)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of `ids`, with or without special tokens (language codes among them).
    ///
    /// Ids outside the vocabulary are left out and no space is moved, as in Python.
    ///
    /// # Errors
    /// [`Error::Tokenize`] if the decoder of a `tokenizer.json` fails.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String, Error> {
        self.inner
            .decode(ids, skip_special_tokens)
            .map_err(Error::tokenize)
    }

    /// The texts of several rows of ids; see [`decode`](Self::decode).
    ///
    /// # Errors
    /// Those of [`decode`](Self::decode).
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
    /// [`Error::UnknownLanguage`], whose message lists the codes that would do.
    pub fn language_id(&self, code: &str) -> Result<u32, Error> {
        match self.languages().find(|(known, _)| *known == code) {
            Some((_, id)) => Ok(id),
            None => Err(Error::UnknownLanguage {
                code: code.to_owned(),
                known: self
                    .languages()
                    .map(|(known, _)| known.to_owned())
                    .collect(),
            }),
        }
    }

    /// The language codes that this tokenizer has, with their ids.
    pub fn languages(&self) -> impl Iterator<Item = (&'static str, u32)> + '_ {
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

    /// Number of tokens, special ones included: one more than the largest id.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }
}

fn from_file(path: &Path, read: fn(&[u8]) -> Result<Tokenizer, Error>) -> Result<Tokenizer, Error> {
    fs::read(path)
        .map_err(Error::from)
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
