use std::path::Path;

use tokenizers::{AddedToken, ModelWrapper};

use super::assembly::{Codes, languages};
use super::class::Class;
use super::files::{self, read_file};
use super::languages::Language;
use super::options::Options;
use super::special::{END, SpecialToken, SpecialTokens};
use super::template::{self, Template};
use super::{cleanup, own_codes, sentencepiece};
use crate::Error;

/// A tokenizer of Hugging Face, which gives the same ids and texts.
///
/// Three kinds of models are known, in all files that they are published in: unigram models (mBART-50, XLM-R, Donut),
/// byte-level BPE (GPT-2, RoBERTa, BART, TrOCR) and WordPiece (BERT), and vocabularies of characters.
/// [`from_folder`](Self::from_folder) finds out which kind there is.
///
/// ```no_run
/// use preprocess::text::Tokenizer;
///
/// let tokenizer = Tokenizer::from_folder("checkpoint")?;
/// let ids = tokenizer.encode_text("A red apple.", true)?; // with <s> and </s>, [CLS] and [SEP], or nothing
/// assert_eq!(tokenizer.decode(&ids, true)?, "A red apple.");
/// let prompt = tokenizer.token_id("<s_cord-v2>"); // of Donut
/// # Ok::<(), preprocess::Error>(())
/// ```
///
/// # Languages
/// mBART-50's tokenizer has a token for each [language](Self::languages), and [`encode`](Self::encode) takes one:
///
/// ```no_run
/// # use preprocess::text::Tokenizer;
/// let tokenizer = Tokenizer::from_folder("checkpoint")?;
/// let ids = tokenizer.encode("A red apple.", "en_XX", Some(64))?; // en_XX, the pieces, </s>
/// # Ok::<(), preprocess::Error>(())
/// ```
///
/// Its ids are fairseq's: `<s>` 0, `<pad>` 1, `</s>` 2, `<unk>` 3, then the pieces, the 52 language codes and `<mask>`.
/// In the published vocabulary of 250,054 tokens, `ar_AR` is 250001 and `<mask>` is 250053. Special tokens that a
/// unigram model's `tokenizer.json` adds are languages too if they are spelled like one: `ca_ES`, `ast_ES` or `cat_Latn`.
/// Other tokenizers have no languages.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    /// Complete, as it is saved. Only other readers of the file use its post-processor.
    pub(super) inner: tokenizers::Tokenizer,
    /// Languages and their ids, in the order of [`LANGUAGES`](super::LANGUAGES), then others in the order of their ids.
    pub(super) languages: Vec<(Language, u32)>,
    /// With languages, the one of the default language.
    pub(super) template: Template,
    pub(super) special: SpecialTokens,
    /// The largest id of the model plus one.
    pub(super) model_size: usize,
    /// Whether spaces before punctuation are taken out of decoded texts.
    pub(super) cleans_up: bool,
    /// The program without which texts can't be split into words.
    pub(super) word_splitter: Option<&'static str>,
}

/// Number of tokens around every text: the language code and `</s>`.
const FRAME: usize = 2;

impl Tokenizer {
    /// Reads the tokenizer of a checkpoint's folder.
    ///
    /// The class is `tokenizer_class` of `tokenizer_config.json` or of `config.json`; without one, it follows from the
    /// decoder in `config.json` and from the files. The first of these that exists and fits is read:
    ///
    /// | files | classes |
    /// |---|---|
    /// | `tokenizer.json` | all whose model and steps are known here |
    /// | `sentencepiece.bpe.model` | `MBart50Tokenizer`, `XLMRobertaTokenizer` |
    /// | `vocab.json` and `merges.txt` | `GPT2Tokenizer`, `RobertaTokenizer`, `BartTokenizer` |
    /// | `vocab.txt` | `BertTokenizer`, `BertJapaneseTokenizer` (characters; WordPiece without a dictionary) |
    ///
    /// Special tokens and options are those of `tokenizer_config.json`, `special_tokens_map.json` and
    /// `added_tokens.json`, as transformers 5 merges them.
    ///
    /// # Errors
    /// - [`Error::NoTokenizer`] if the folder has none of these files, or not those of its class.
    /// - [`Error::UnknownTokenizer`] if there is no `tokenizer.json`, and the class is not known.
    /// - [`Error::Read`] if a file can't be read.
    /// - [`Error::File`] around [`Error::Json`], [`Error::Config`], [`Error::TokenizerModel`],
    ///   [`Error::TokenizerPart`], [`Error::TokenizerFile`] or [`Error::Tokenize`] if its content can't be used.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Self, Error> {
        files::read(folder.as_ref())
    }

    /// Reads a `sentencepiece.bpe.model` as mBART-50's.
    ///
    /// # Errors
    /// - [`Error::Read`] if the file can't be read.
    /// - [`Error::File`] around [`Error::TokenizerModel`] if it is not a unigram model; around
    ///   [`Error::TokenizerFile`] if it is damaged or already holds mBART-50's special tokens.
    pub fn from_sentencepiece(path: impl AsRef<Path>) -> Result<Self, Error> {
        read_file(path.as_ref(), Self::from_sentencepiece_bytes)
    }

    /// Reads the bytes of a `sentencepiece.bpe.model` as mBART-50's.
    ///
    /// # Errors
    /// [`Error::TokenizerModel`] if it is not a unigram model; [`Error::TokenizerFile`] if it is damaged or already
    /// holds mBART-50's special tokens.
    pub fn from_sentencepiece_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let options = Options::default();
        let parts = sentencepiece::read(bytes, Class::MBart50, &options)?;
        Self::from_vocabulary(parts, Class::MBart50, &options)
    }

    /// Reads a `tokenizer.json` that Hugging Face's `save_pretrained` wrote, without the files beside it.
    ///
    /// # Errors
    /// - [`Error::Read`] if the file can't be read.
    /// - [`Error::File`] around [`Error::Json`] if it is not JSON of the expected structure; around
    ///   [`Error::TokenizerModel`] if its model is of another kind; around [`Error::TokenizerPart`] if a step or an
    ///   added token is of a kind that is not supported; around [`Error::TokenizerFile`] if its tokens have other ids
    ///   than it says, if its vocabulary, its merges or its normalisation table are damaged or too large, or if it has
    ///   language codes and no `</s>`; around [`Error::Tokenize`] if the `tokenizers` crate refuses one of its parts.
    pub fn from_tokenizer_json(path: impl AsRef<Path>) -> Result<Self, Error> {
        read_file(path.as_ref(), Self::from_tokenizer_json_bytes)
    }

    /// Reads the bytes of a `tokenizer.json`.
    ///
    /// A file may name any steps before and after its model. Those that published unigram, BPE and WordPiece tokenizers
    /// have are taken from the file as they are; all others are refused by name, since some of them fail on some texts
    /// or take time and memory without bound. Truncation and padding are not read, and neither is the post-processor if
    /// there are languages: [`encode`](Self::encode) adds the language and the end, and has an argument for the length.
    ///
    /// # Errors
    /// [`Error::Json`] if the bytes are not JSON of the expected structure; [`Error::TokenizerModel`] if the model is
    /// of another kind; [`Error::TokenizerPart`] if a step or an added token is of a kind that is not supported;
    /// [`Error::TokenizerFile`] if its tokens have other ids than the file says, if its vocabulary, its merges or its
    /// normalisation table are damaged or too large, or if it has language codes and no `</s>`; [`Error::Tokenize`] if
    /// the `tokenizers` crate refuses one of its parts.
    pub fn from_tokenizer_json_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_json(bytes, None, &Options::default())
    }

    /// Gives a language a token, as Hugging Face's `add_special_tokens` does, and returns the id: that of the token if
    /// the vocabulary has it, otherwise the next after [`vocab_size`](Self::vocab_size).
    ///
    /// A model needs a row for the token then: see `Pretrained::from_folder_with_tokens` of the crate `pretrained`.
    ///
    /// # Errors
    /// [`Error::LanguageCode`] if `code` is not of the form `ca_ES`, `ast_ES` or `cat_Latn`, or if a process has met
    /// 1,000 codes that are in neither [`LANGUAGES`](super::LANGUAGES) nor [`MORE_LANGUAGES`](super::MORE_LANGUAGES);
    /// [`Error::TokenizerModel`] if the model is not a unigram model; [`Error::TokenizerFile`] if it has no `</s>`;
    /// [`Error::Tokenize`] if the `tokenizers` crate can't add a token.
    pub fn add_language(&mut self, code: &str) -> Result<u32, Error> {
        let language = own_codes::declare(code).ok_or_else(|| Error::LanguageCode {
            found: code.to_owned(),
        })?;
        if !matches!(self.inner.get_model(), ModelWrapper::Unigram(_)) {
            return Err(Error::TokenizerModel {
                expected: "a unigram model, as tokenizers with languages have",
                found: "another one".to_owned(),
            });
        }
        let end = self
            .token_id(END)
            .ok_or_else(|| Error::tokenizer_file(format!("the token {END}"), "none"))?;
        let token = AddedToken::from(language.code, true);
        self.inner.add_tokens([token]).map_err(Error::Tokenize)?;
        let codes = match self.languages.is_empty() {
            true => Codes::Special,
            false => Codes::All,
        };
        self.languages = languages(&self.inner, codes);
        let (template, processor) = template::of_languages(&self.languages, end)?;
        self.template = template;
        self.inner.with_post_processor(Some(processor));
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
        let frame = Template {
            before: vec![language],
            after: self.template.after.clone(),
        };
        Ok(frame.around(&pieces[..pieces.len().min(room)]))
    }

    /// Token ids of `text`, with or without the special tokens that the tokenizer has around every text: `<s>` and
    /// `</s>` of RoBERTa and XLM-R, `[CLS]` and `[SEP]` of BERT, none of GPT-2. With [languages](Self::languages), they
    /// are those of the default language, `en_XX` and `</s>`.
    ///
    /// Special tokens that are spelled out in the text become their ids, as in Python.
    ///
    /// # Errors
    /// [`Error::WordSplitter`] if the tokenizer needs a dictionary to find words, so that it can only decode;
    /// [`Error::Tokenize`] if the text can't be split into pieces.
    pub fn encode_text(&self, text: &str, add_special_tokens: bool) -> Result<Vec<u32>, Error> {
        let pieces = self.pieces(text)?;
        Ok(match add_special_tokens {
            true => self.template.around(&pieces),
            false => pieces,
        })
    }

    /// Token ids of `text` as a model without codes of languages is taught to write it: as
    /// [`encode_text`](Self::encode_text) returns them with special tokens, and an end token behind them, the first of
    /// `ends`, if they do not end with one of these. A longer text is cut, so that with all of these tokens it has at most
    /// `max_length`.
    ///
    /// Special tokens that are spelled out in the text become their ids, as in Python.
    ///
    /// # Errors
    /// [`Error::MaxLength`] if `max_length` has no room for a token of the text; [`Error::WordSplitter`] if the tokenizer
    /// needs a dictionary to find words, so that it can only decode; [`Error::Tokenize`] if the text can't be split into
    /// pieces.
    pub fn encode_to_end(
        &self,
        text: &str,
        ends: &[u32],
        max_length: Option<usize>,
    ) -> Result<Vec<u32>, Error> {
        let Template { before, after } = &self.template;
        let is_end = |token: Option<&u32>| token.is_some_and(|token| ends.contains(token));
        let adds_end = !ends.is_empty() && !is_end(after.last());
        let frame = before.len() + after.len() + usize::from(adds_end);
        let room = match max_length {
            Some(max_length) => max_length
                .checked_sub(frame)
                .filter(|room| *room > 0)
                .ok_or(Error::MaxLength { max_length })?,
            None => usize::MAX,
        };
        let pieces = self.pieces(text)?;
        let mut ids = self.template.around(&pieces[..pieces.len().min(room)]);
        if let Some(end) = ends.first()
            && !is_end(ids.last())
        {
            ids.push(*end);
        }
        Ok(ids)
    }

    /// Token ids of `text` without any tokens around them: a prefix for generation, or a phrase to look for.
    ///
    /// # Errors
    /// [`Error::WordSplitter`] if the tokenizer needs a dictionary to find words, so that it can only decode;
    /// [`Error::Tokenize`] if the text can't be split into pieces.
    pub fn pieces(&self, text: &str) -> Result<Vec<u32>, Error> {
        if let Some(program) = self.word_splitter {
            return Err(Error::WordSplitter { program });
        }
        let encoding = self
            .inner
            .encode_fast(text, false)
            .map_err(Error::Tokenize)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of `ids`, with or without special tokens, which include the language codes.
    ///
    /// Ids outside the vocabulary are left out, as in Python. Spaces before punctuation stay, except those that BERT's
    /// decoder takes out, and unless `clean_up_tokenization_spaces` in `tokenizer_config.json` is true. To decode ids as
    /// they come, see [`text_stream`](Self::text_stream).
    ///
    /// # Errors
    /// [`Error::Tokenize`] if the decoder of a `tokenizer.json` fails.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String, Error> {
        let text = self
            .inner
            .decode(ids, skip_special_tokens)
            .map_err(Error::Tokenize)?;
        Ok(match self.cleans_up {
            true => cleanup::clean_up(&text),
            false => text,
        })
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

    /// The languages that this tokenizer has tokens for, with the ids of these tokens. Only mBART-50's tokenizers, and
    /// those to which languages were [added](Self::add_language), have any.
    pub fn languages(&self) -> impl Iterator<Item = (Language, u32)> + '_ {
        self.languages.iter().copied()
    }

    /// The special token that has this role, as the vocabulary spells it.
    pub fn special_token(&self, role: SpecialToken) -> Option<&str> {
        self.special.get(role)
    }

    /// The id of the special token that has this role.
    pub fn special_token_id(&self, role: SpecialToken) -> Option<u32> {
        self.token_id(self.special_token(role)?)
    }

    /// The id of a token as the vocabulary spells it (`"</s>"`, `"▁dog"`, `"<s_cord-v2>"`).
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The token with this id as the vocabulary spells it.
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Number of ids, including those of special tokens: the largest id plus one.
    pub fn vocab_size(&self) -> usize {
        let added = self.inner.get_added_vocabulary().get_vocab().values();
        let largest = added.max().map_or(0, |id| *id as usize + 1);
        self.model_size.max(largest)
    }
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
