use checkpoint::LocateError;
use generation::PromptError;
use pretrained::LoadError;
use vision_encoder_decoder::GenerateError;

/// Why a translator can't be loaded, or can't translate any text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No model was found under a name.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// The model could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The tokenizer can't be used, or does not have the language that was asked for.
    #[error(transparent)]
    Preprocess(#[from] preprocess::Error),
    /// Generation failed, or its options are invalid or contradict each other.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The tokenizer has more tokens than the model.
    #[error(
        "the tokenizer has {tokenizer} tokens of the {side} language, but the model {model}; they are of different models"
    )]
    Vocabulary {
        /// Source or target.
        side: &'static str,
        /// The number of tokens of the tokenizer.
        tokenizer: usize,
        /// The number of tokens of the model.
        model: usize,
    },
    /// No model was named.
    #[error("no model is named; name a folder, or a model on the Hugging Face Hub")]
    NoModel,
}

/// Why one text was not translated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The text is longer than the model can read.
    #[error(
        "the text has {tokens} tokens, but the model reads at most {most}; split it into sentences, or let it be cut"
    )]
    TooLong {
        /// Its tokens, with the end token.
        tokens: usize,
        /// The largest number of tokens.
        most: usize,
    },
    /// The search failed.
    #[error("no translation was found")]
    Search(#[from] PromptError),
    /// The text can't be split into tokens.
    #[error(transparent)]
    Tokenize(#[from] preprocess::Error),
}
