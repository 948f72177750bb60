use vision_encoder_decoder::{GenerateError, LoadError, SaveError};

/// Why there is no caption.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The model could not be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// An image, a preprocessing option or a tokenizer file can't be used.
    #[error(transparent)]
    Preprocess(#[from] preprocess::Error),
    /// Generation failed, or its options contradict each other.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The captioner does not write this language.
    #[error("unknown language {asked:?}; this model writes {}", .known.join(", "))]
    UnknownLanguage {
        /// What was asked for.
        asked: String,
        /// Codes and names of those it writes.
        known: Vec<String>,
    },
    /// The preprocessing makes images of another size than the model takes.
    #[error(
        "the preprocessing makes images of {found:?} (channels, height, width), but the model takes {expected:?}; preprocessor_config.json and config.json are of different models"
    )]
    ImageSize {
        /// What the model takes.
        expected: [usize; 3],
        /// What the preprocessing makes.
        found: [usize; 3],
    },
    /// The tokenizer has tokens that the model does not score.
    #[error(
        "the tokenizer has {tokenizer} tokens, but the model's vocabulary has {model}; they are of different models"
    )]
    Vocabulary {
        /// Tokens of the tokenizer.
        tokenizer: usize,
        /// Tokens of the model.
        model: usize,
    },
    /// Attention was asked of layers that the decoder does not have, or of none.
    #[error(
        "attention of layers {asked:?} was asked for: the decoder has {layers} layers, numbered from 0, and at least one must be named"
    )]
    AttentionLayers {
        /// Numbers that were asked for.
        asked: Vec<usize>,
        /// Layers of the decoder.
        layers: usize,
    },
    /// What should be words is none.
    #[error(
        "{text:?} is no word: expected one, or several forms of it divided by |, all of them with a * behind them or none"
    )]
    Words {
        /// What was given.
        text: String,
    },
    /// A text has something that the model has no words for.
    #[error(
        "{text:?} has a character that this model has no token for, or the name of a special token"
    )]
    Unwritable {
        /// What was given.
        text: String,
    },
    /// No caption has all words that were asked for.
    #[error(
        "no caption in {language} with all required words was found; allow more beams or tokens, or ask for other words"
    )]
    WordsMissing {
        /// Code of the language.
        language: &'static str,
    },
    /// A shortlist has tokens that can't be scored.
    #[error("a shortlist needs at least one token, ascending, each below {vocab_size}")]
    Shortlist {
        /// Tokens that the model scores.
        vocab_size: usize,
    },
}
