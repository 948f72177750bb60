use std::fmt;

/// Something about a checkpoint that does not keep it from being used, but that its user should know. As text it is a
/// sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadNotice {
    /// The configuration says that the head shares the table of token embeddings, but the weights have two tables with
    /// different values. Both are used, as in Hugging Face's transformers, and the configuration of the loaded model
    /// says so.
    HeadIsNotTied {
        /// The weights.
        origin: String,
        /// The name of the head.
        head: String,
        /// The name of the token embeddings.
        embeddings: String,
    },
    /// The configuration says that both languages of a translation model share a table of token embeddings, but the
    /// weights have tables with different values. Both are used, as in Hugging Face's transformers, and the configuration
    /// of the loaded model says so.
    EmbeddingsAreNotShared {
        /// The weights.
        origin: String,
        /// The name of one table.
        first: String,
        /// The name of another.
        second: String,
    },
    /// The weights have a second table of token embeddings with other values, which is not used.
    UnusedEmbeddings {
        /// The weights.
        origin: String,
        /// The name of the table that is not used.
        unused: String,
        /// The name of the table that is used.
        embeddings: String,
    },
}

impl fmt::Display for LoadNotice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeadIsNotTied {
                origin,
                head,
                embeddings,
            } => write!(
                formatter,
                "{origin} has {head} and {embeddings} with different values, although config.json says that they are the same; both are used; `convert` writes a configuration that says so"
            ),
            Self::EmbeddingsAreNotShared {
                origin,
                first,
                second,
            } => write!(
                formatter,
                "{origin} has {first} and {second} with different values, although config.json says that they are the same; both are used"
            ),
            Self::UnusedEmbeddings {
                origin,
                unused,
                embeddings,
            } => write!(
                formatter,
                "{origin} has {unused} and {embeddings} with different values; only the latter is used; remove the former"
            ),
        }
    }
}
