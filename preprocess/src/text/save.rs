use std::path::Path;

use serde_json::{Value, json};
use tokenizers::processors::template::TemplateProcessing;

use super::Tokenizer;
use super::tokenizer::{END, TOKENIZER_JSON};
use crate::{Error, whole_file};

/// Hugging Face's names for the special tokens that every mBART-50 tokenizer has.
pub(super) const NAMED: [(&str, &str); 6] = [
    ("cls_token", "<s>"),
    ("eos_token", END),
    ("mask_token", "<mask>"),
    ("pad_token", "<pad>"),
    ("sep_token", END),
    ("unk_token", "<unk>"),
];

/// What Hugging Face takes if no `src_lang` is named.
const DEFAULT_LANGUAGE: &str = "en_XX";

impl Tokenizer {
    /// Writes `tokenizer.json` and `tokenizer_config.json` into `folder`, which is made if there is none.
    ///
    /// [`from_folder`](Self::from_folder) reads them back, and so do `AutoTokenizer` and `MBart50Tokenizer` of Hugging
    /// Face: neither wants a `sentencepiece.bpe.model` beside them. Each file is replaced whole or not at all.
    ///
    /// # Errors
    /// [`Error::Write`] inside [`Error::File`], which names the file; [`Error::Tokenize`] as in
    /// [`to_tokenizer_json`](Self::to_tokenizer_json).
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<(), Error> {
        let folder = folder.as_ref();
        whole_file::save(folder, TOKENIZER_JSON, &self.to_tokenizer_json()?)?;
        whole_file::save(
            folder,
            "tokenizer_config.json",
            &self.to_tokenizer_config_json(),
        )
    }

    /// The text of a `tokenizer.json`, as Hugging Face's `save_pretrained` writes it.
    ///
    /// A reader that knows no languages frames texts with `en_XX`; Hugging Face's class puts the language of `src_lang`
    /// in its place.
    ///
    /// # Errors
    /// [`Error::Tokenize`] if a part does not serialise, which those that were read from a file always do.
    pub fn to_tokenizer_json(&self) -> Result<String, Error> {
        self.inner.to_string(false).map_err(Error::tokenize)
    }

    /// The text of a `tokenizer_config.json`: the Hugging Face class and the special tokens.
    pub fn to_tokenizer_config_json(&self) -> String {
        let (language, _) = default_language(&self.languages);
        let mut config = json!({
            "tokenizer_class": "MBart50Tokenizer",
            "src_lang": language,
            // The name of transformers 4, which 5 reads too; under its newer name, 4 refuses a list.
            "additional_special_tokens": self.additional_special_tokens(),
        });
        for (name, token) in NAMED {
            config[name] = Value::from(token);
        }
        format!("{config:#}\n")
    }

    /// Special tokens without a name of their own, in the order of their ids: the language codes, and what a file had
    /// besides.
    fn additional_special_tokens(&self) -> Vec<String> {
        let mut tokens: Vec<_> = self.inner.get_added_tokens_decoder().into_iter().collect();
        tokens.sort_by_key(|(id, _)| *id);
        tokens
            .into_iter()
            .filter(|(_, token)| token.special)
            .map(|(_, token)| token.content)
            .filter(|content| !NAMED.iter().any(|(_, named)| named == content))
            .collect()
    }
}

/// `[language] text </s>` for those who read a `tokenizer.json` alone, in the default language.
pub(super) fn frame(
    languages: &[(&'static str, u32)],
    end: u32,
) -> Result<TemplateProcessing, Error> {
    let language = default_language(languages);
    let failed = |error: String| Error::Tokenize(error);
    TemplateProcessing::builder()
        .try_single(vec![language.0, "$A", END])
        .map_err(failed)?
        .try_pair(vec![language.0, "$A", "$B", END])
        .map_err(failed)?
        .special_tokens(vec![language, (END, end)])
        .build()
        .map_err(|error| failed(error.to_string()))
}

/// English, or the first language of a tokenizer without it.
fn default_language(languages: &[(&'static str, u32)]) -> (&'static str, u32) {
    let english = languages.iter().find(|(code, _)| *code == DEFAULT_LANGUAGE);
    *english.unwrap_or(&languages[0])
}
