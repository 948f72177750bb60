use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// When beam search may stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyStopping {
    /// When there are as many finished hypotheses as are kept, and the best running one, divided by
    /// its present length, scores below all of them. JSON: `false`.
    #[default]
    Heuristic,
    /// When there are as many finished hypotheses as are kept. JSON: `true`.
    FirstFinished,
    /// When there are as many finished hypotheses as are kept, and no running one can beat them,
    /// however long it grows. JSON: `"never"`.
    Never,
}

impl Serialize for EarlyStopping {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Heuristic => serializer.serialize_bool(false),
            Self::FirstFinished => serializer.serialize_bool(true),
            Self::Never => serializer.serialize_str("never"),
        }
    }
}

impl<'de> Deserialize<'de> for EarlyStopping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(false) => Ok(Self::Heuristic),
            Value::Bool(true) => Ok(Self::FirstFinished),
            Value::String(text) if text == "never" => Ok(Self::Never),
            other => Err(serde::de::Error::custom(format!(
                "early_stopping is {other}, expected true, false or \"never\""
            ))),
        }
    }
}

/// Accepts a token, a list of tokens or null.
pub(super) fn tokens<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a token id, a list of them or null")]
    enum Tokens {
        None(()),
        One(u32),
        Many(Vec<u32>),
    }
    Ok(match Tokens::deserialize(deserializer)? {
        Tokens::None(()) => Vec::new(),
        Tokens::One(token) => vec![token],
        Tokens::Many(tokens) => tokens,
    })
}

/// Accepts a string, a list of strings or null.
pub(super) fn strings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a string, a list of them or null")]
    enum Strings {
        None(()),
        One(String),
        Many(Vec<String>),
    }
    Ok(match Strings::deserialize(deserializer)? {
        Strings::None(()) => Vec::new(),
        Strings::One(string) => vec![string],
        Strings::Many(strings) => strings,
    })
}

/// Accepts a list of phrases: sequences such as `[1, 2]`, or alternatives such as `[[1, 2], [3]]`.
pub(super) fn phrases<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Vec<Vec<u32>>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(
        untagged,
        expecting = "expected lists of token ids, or lists of alternatives"
    )]
    enum Phrase {
        One(Vec<u32>),
        Alternatives(Vec<Vec<u32>>),
    }
    let phrases: Vec<Phrase> = Vec::deserialize(deserializer)?;
    Ok(phrases
        .into_iter()
        .map(|phrase| match phrase {
            Phrase::One(tokens) => vec![tokens],
            Phrase::Alternatives(alternatives) => alternatives,
        })
        .collect())
}
