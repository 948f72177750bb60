/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is no JSON object, or a value has the wrong type.
    #[error("not a generation configuration: {0}")]
    Json(#[from] serde_json::Error),
    /// An option has a value of the wrong type.
    #[error("not a generation configuration: {name}: {source}")]
    Value {
        /// The option.
        name: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Options that this crate does not know, with values that would change the result.
    #[error("generation options that are not supported: {}; remove them to generate without", .0.join(", "))]
    Unsupported(Vec<String>),
    /// A setting is no name with a value.
    #[error("{0}: expected NAME=VALUE")]
    Setting(String),
    /// A value is out of range, or two contradict each other.
    #[error("{0}")]
    Invalid(String),
}
