use serde::Deserialize;
use serde_json::Value;

use crate::Error;

/// The keys of `tokenizer_config.json` that change ids or texts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, expecting = "a JSON object")]
pub(super) struct Options {
    eos_token: Option<Token>,
    unk_token: Option<Token>,
    pad_token: Option<Token>,
    pub(super) separate_vocabs: Option<bool>,
    /// Hugging Face writes a number that is larger than any length if there is no limit.
    model_max_length: Option<Value>,
    pub(super) source_lang: Option<String>,
    pub(super) target_lang: Option<String>,
    split_special_tokens: Option<bool>,
    additional_special_tokens: Option<Vec<Token>>,
}

/// A token: its text, or an object with its text and flags.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Token {
    Text(String),
    Object { content: String },
}

impl Token {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) | Self::Object { content: text } => text,
        }
    }
}

/// The tokens that texts spell out and that decoding leaves out.
#[derive(Clone, Debug)]
pub(super) struct SpecialTokens {
    pub(super) end: String,
    pub(super) unknown: String,
    pub(super) padding: String,
    pub(super) others: Vec<String>,
}

impl Options {
    /// Reads the text of a `tokenizer_config.json`.
    pub(super) fn read(json: &str) -> Result<Self, Error> {
        let options: Self = serde_json::from_str(json)?;
        if options.split_special_tokens == Some(true) {
            return Err(Error::TokenizerPart {
                place: "split_special_tokens".into(),
                expected: "false".into(),
                found: "true".into(),
            });
        }
        Ok(options)
    }

    pub(super) fn special_tokens(&self) -> SpecialTokens {
        let text = |token: &Option<Token>, default: &str| match token {
            Some(token) => token.clone().into_text(),
            None => default.to_owned(),
        };
        let others = self.additional_special_tokens.iter().flatten();
        SpecialTokens {
            end: text(&self.eos_token, "</s>"),
            unknown: text(&self.unk_token, "<unk>"),
            padding: text(&self.pad_token, "<pad>"),
            others: others.cloned().map(Token::into_text).collect(),
        }
    }

    /// Most tokens of a text, if there is a limit.
    pub(super) fn max_length(&self) -> Option<usize> {
        match &self.model_max_length {
            None => Some(512),
            Some(length) => length.as_u64().and_then(|length| length.try_into().ok()),
        }
    }
}
