use serde_json::Value;

use crate::ConfigError;

/// The `model_type` of a model or a part of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModelType<'a> {
    /// The part, in words, for messages.
    part: &'static str,
    /// The value of `model_type`.
    pub(crate) name: &'a str,
}

impl<'a> ModelType<'a> {
    /// The value of the key `model_type`; `(none)` if it is missing.
    pub(crate) fn of(part: &'static str, value: Option<&'a Value>) -> Self {
        Self {
            part,
            name: value.and_then(Value::as_str).unwrap_or("(none)"),
        }
    }

    /// The error for a type that is not supported.
    pub(crate) fn unsupported(self, known: Vec<&'static str>) -> ConfigError {
        ConfigError::UnsupportedType {
            part: self.part,
            found: self.name.into(),
            known,
        }
    }
}
