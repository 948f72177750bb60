/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is no JSON object, or a value has the wrong type.
    #[error("not a generation configuration: {0}")]
    Json(#[from] serde_json::Error),
    /// Options that this crate does not know, with values that would change the result.
    #[error("generation options that are not supported: {}; remove them to generate without", .0.join(", "))]
    Unsupported(Vec<String>),
    /// A value is out of range, or two contradict each other.
    #[error("{0}")]
    Invalid(String),
}
