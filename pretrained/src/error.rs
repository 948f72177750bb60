/// Why a model could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A configuration file can't be used.
    #[error("can't use {origin}")]
    Config {
        /// The file.
        origin: String,
        /// What is wrong with it.
        source: ConfigError,
    },
    /// New tokens would leave a gap in the vocabulary.
    #[error(
        "expected that a new token has the id {vocab_size}, the number of tokens of the model, or one below, found {id}; \
         the tokenizer is that of another model"
    )]
    NewToken {
        /// The id of the token.
        id: usize,
        /// Number of tokens of the model.
        vocab_size: usize,
    },
    /// A decoder that is to attend to an encoder was trained without one.
    #[error(
        "{origin} has no weights of cross-attention, with which a decoder attends to an encoder; ask for fresh ones (the option \
         fresh_cross_attention), which have to be trained, or give the checkpoint of a decoder that has them"
    )]
    NoCrossAttention {
        /// The weights.
        origin: String,
    },
    /// A file is missing or can't be read, or the weights are not those of this model.
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::LoadError),
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is not a JSON object.
    #[error("not a model configuration")]
    Json(#[from] serde_json::Error),
    /// A value of the configuration is larger than any such value should be.
    #[error("{key} has {bytes} bytes, more than the {limit} that are read of such a value")]
    TooLong {
        /// The key.
        key: String,
        /// The length of its value.
        bytes: usize,
        /// The largest length that is read.
        limit: usize,
    },
    /// A value of the configuration can't be read.
    #[error("the value of {key} can't be used")]
    Value {
        /// The key.
        key: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The configuration of a part is missing.
    #[error("the configuration has no \"{name}\" object")]
    MissingPart {
        /// The key.
        name: &'static str,
    },
    /// The model, its encoder or its decoder is of a family that is not supported.
    #[error("{part} has model_type {found:?}, expected {}", .known.join(" or "))]
    UnsupportedType {
        /// The part, in words: the model, the encoder or the decoder.
        part: &'static str,
        /// Its `model_type`.
        found: String,
        /// The supported values of `model_type`.
        known: Vec<&'static str>,
    },
    /// The configuration of the encoder is invalid.
    #[error("the encoder's configuration can't be used")]
    Encoder(#[source] transformer_layers::ConfigError),
    /// The configuration of the decoder is invalid.
    #[error("the decoder's configuration can't be used")]
    Decoder(#[source] transformer_layers::ConfigError),
    /// The decoder attends to an output of another width than the encoder's.
    #[error(
        "the decoder's cross_attention_hidden_size is {expected}, but the encoder's hidden states have the width {found}"
    )]
    MemoryWidth {
        /// The width that the decoder expects.
        expected: usize,
        /// The encoder's width.
        found: usize,
    },
    /// The configuration of a translation model is invalid.
    #[error("the translation model's configuration can't be used")]
    Translator(#[source] transformer_layers::ConfigError),
    /// The generation options are invalid or not supported.
    #[error(transparent)]
    Generation(#[from] generation::ConfigError),
}
