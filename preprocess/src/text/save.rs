use std::path::Path;

use serde_json::{Map, Value, json};

use super::Tokenizer;
use super::special::NAMED;
use super::template::default_language;
use super::tokenizer::TOKENIZER_JSON;
use crate::Error;
use crate::error::write;

/// The key of the special tokens that are not in [`NAMED`].
const ADDITIONAL: &str = "additional_special_tokens";

impl Tokenizer {
    /// Writes `tokenizer.json` and `tokenizer_config.json` into `folder`, which is created if it does not exist.
    ///
    /// [`from_folder`](Self::from_folder) reads them back, and so do Hugging Face's `AutoTokenizer` and
    /// `MBart50Tokenizer`, without a `sentencepiece.bpe.model`. Each file is replaced as a whole: a reader never sees a
    /// part of it.
    ///
    /// # Errors
    /// [`Error::Write`], naming the file; [`Error::Tokenize`] if a part of the tokenizer does not serialise, which does
    /// not happen to parts that were read from a file.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<(), Error> {
        let folder = folder.as_ref();
        write(&folder.join(TOKENIZER_JSON), &self.to_tokenizer_json()?)?;
        write(
            &folder.join("tokenizer_config.json"),
            &self.to_tokenizer_config_json(),
        )
    }

    /// The text of a `tokenizer.json`, as Hugging Face's `save_pretrained` writes it.
    ///
    /// The file says that texts are encoded as `en_XX text </s>`. Hugging Face's class replaces `en_XX` by its
    /// `src_lang`.
    ///
    /// # Errors
    /// [`Error::Tokenize`] if a part of the tokenizer does not serialise, which does not happen to parts that were read
    /// from a file.
    pub fn to_tokenizer_json(&self) -> Result<String, Error> {
        self.inner.to_string(false).map_err(Error::Tokenize)
    }

    /// The text of a `tokenizer_config.json`: the Hugging Face class and the special tokens.
    pub fn to_tokenizer_config_json(&self) -> String {
        format!("{:#}\n", self.config())
    }

    /// The text of a `tokenizer_config.json` that says what another says, with the special tokens of this tokenizer:
    /// for a tokenizer that was read beside that file and got more [languages](Self::add_language).
    ///
    /// # Errors
    /// [`Error::Json`] if the other is not a JSON object.
    pub fn to_tokenizer_config_json_like(&self, other: &str) -> Result<String, Error> {
        let mut config: Map<String, Value> = serde_json::from_str(other)?;
        for (key, value) in self.config().as_object().into_iter().flatten() {
            if key == ADDITIONAL || !config.contains_key(key) {
                config.insert(key.clone(), value.clone());
            }
        }
        // The list again, under the newer name.
        if config
            .get("extra_special_tokens")
            .is_some_and(Value::is_array)
        {
            config.remove("extra_special_tokens");
        }
        // All tokens by id, which transformers 4 writes and believes.
        if let Some(Value::Object(by_id)) = config.get_mut("added_tokens_decoder") {
            for (id, token) in self.inner.get_added_tokens_decoder() {
                by_id.entry(id.to_string()).or_insert_with(|| json!(token));
            }
        }
        Ok(format!("{:#}\n", Value::Object(config)))
    }

    fn config(&self) -> Value {
        let (language, _) = default_language(&self.languages);
        let mut config = json!({
            "tokenizer_class": "MBart50Tokenizer",
            "src_lang": language.code,
            // transformers 4 and 5 read this name; under the newer name, 4 refuses a list.
            ADDITIONAL: self.additional_special_tokens(),
        });
        for (name, token) in NAMED {
            config[name] = Value::from(token);
        }
        config
    }

    /// The special tokens that are not in [`NAMED`], in the order of their ids: the language codes, and others that a
    /// file added.
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
