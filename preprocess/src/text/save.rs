use std::path::Path;

use serde_json::{Map, Value, json};
use tokenizers::ModelWrapper;

use super::Tokenizer;
use super::files::TOKENIZER_JSON;
use super::options::TOKENIZER_CONFIG;
use super::special::NAMED;
use super::template::default_language;
use crate::Error;
use crate::error::write;

/// The key of the special tokens without a role.
const ADDITIONAL: &str = "additional_special_tokens";

impl Tokenizer {
    /// Writes `tokenizer.json` and `tokenizer_config.json` into `folder`, which is created if it does not exist.
    ///
    /// [`from_folder`](Self::from_folder) reads them back, and so does Hugging Face's `AutoTokenizer`, without the files
    /// that the tokenizer was read from: as `MBart50Tokenizer` if there are languages, as `PreTrainedTokenizerFast`
    /// otherwise, since that one leaves the steps in the file as they are. Each file is replaced as a whole: a reader never sees a
    /// part of it.
    ///
    /// # Errors
    /// [`Error::Write`], naming the file; [`Error::Tokenize`] if a part of the tokenizer does not serialise, which does
    /// not happen to parts that were read from a file.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<(), Error> {
        let folder = folder.as_ref();
        write(&folder.join(TOKENIZER_JSON), &self.to_tokenizer_json()?)?;
        write(
            &folder.join(TOKENIZER_CONFIG),
            &self.to_tokenizer_config_json(),
        )
    }

    /// The text of a `tokenizer.json`, as Hugging Face's `save_pretrained` writes it.
    ///
    /// With languages, the file says that texts are encoded as `en_XX text </s>`. Hugging Face's class replaces `en_XX` by
    /// its `src_lang`.
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
        let mut config = json!({
            // transformers 4 and 5 read this name; under the newer name, 4 refuses a list.
            ADDITIONAL: self.additional_special_tokens(),
        });
        if self.languages.is_empty() {
            config["tokenizer_class"] = Value::from("PreTrainedTokenizerFast");
            for (role, token) in self.special.iter() {
                config[role.name()] = Value::from(token);
            }
        } else {
            let (language, _) = default_language(&self.languages);
            config["tokenizer_class"] = Value::from("MBart50Tokenizer");
            config["src_lang"] = Value::from(language.code);
            for (name, token) in NAMED {
                config[name] = Value::from(token);
            }
        }
        for (name, is_on) in [
            ("clean_up_tokenization_spaces", self.cleans_up),
            (
                "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output",
                self.cleans_up && matches!(self.inner.get_model(), ModelWrapper::BPE(_)),
            ),
            (
                "split_special_tokens",
                self.inner.get_encode_special_tokens(),
            ),
        ] {
            if is_on {
                config[name] = Value::from(true);
            }
        }
        config
    }

    /// The special tokens without a role, in the order of their ids: the language codes, and others that a file added.
    fn additional_special_tokens(&self) -> Vec<String> {
        let mut tokens: Vec<_> = self.inner.get_added_tokens_decoder().into_iter().collect();
        tokens.sort_by_key(|(id, _)| *id);
        let is_named = |content: &String| match self.languages.is_empty() {
            true => self.special.iter().any(|(_, named)| named == content),
            false => NAMED.iter().any(|(_, named)| named == content),
        };
        tokens
            .into_iter()
            .filter(|(_, token)| token.special)
            .map(|(_, token)| token.content)
            .filter(|content| !is_named(content))
            .collect()
    }
}
