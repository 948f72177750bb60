use crate::ConfigError;

/// The `model_type` of a model or a part of it.
#[derive(Clone, Debug)]
pub(crate) struct ModelType {
    /// The part, in words, for messages.
    part: &'static str,
    /// The value of `model_type`.
    pub(crate) name: String,
}

impl ModelType {
    /// The value of the key `model_type`; `(none)` if it is missing.
    pub(crate) fn of(part: &'static str, name: Option<String>) -> Self {
        Self {
            part,
            name: name.unwrap_or_else(|| "(none)".into()),
        }
    }

    /// The error for a type that is not supported.
    pub(crate) fn unsupported(self, known: Vec<&'static str>) -> ConfigError {
        ConfigError::UnsupportedType {
            part: self.part,
            found: self.name,
            known,
        }
    }
}
