use checkpoint::{LocateError, SaveError};
use generation::PromptError;
use preprocess::text::Language;
use pretrained::LoadError;
use vision_encoder_decoder::GenerateError;

/// Why a captioner can't be loaded or saved, or can't caption.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No model was found under a name.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// The model could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The model could not be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// An image, a preprocessing option or a tokenizer can't be used.
    #[error(transparent)]
    Preprocess(#[from] preprocess::Error),
    /// Generation failed, or its options are invalid or contradict each other.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The captioner does not write this language.
    #[error("unknown language {asked:?}; this model writes {}", .known.join(", "))]
    UnknownLanguage {
        /// The language that was asked for.
        asked: String,
        /// Codes and names of the languages that the captioner writes.
        known: Vec<String>,
    },
    /// A prompt is spelled like a special token that the tokenizer does not have.
    #[error("the tokenizer has no token {token}; its added tokens are listed in tokenizer.json")]
    UnknownToken {
        /// The token.
        token: String,
    },
    /// The preprocessing produces images of another size than the model takes.
    #[error(
        "the preprocessing produces images of {found:?} (channels, height, width), but the model takes {expected:?}; preprocessor_config.json and config.json are of different models"
    )]
    ImageSize {
        /// The size that the model takes, `[channels, height, width]`.
        expected: [usize; 3],
        /// The size that the preprocessing produces, `[channels, height, width]`.
        found: [usize; 3],
    },
    /// The tokenizer has more tokens than the model.
    #[error(
        "the tokenizer has {tokenizer} tokens, but the model's vocabulary has {model}; they are of different models"
    )]
    Vocabulary {
        /// The number of tokens of the tokenizer.
        tokenizer: usize,
        /// The number of tokens of the model.
        model: usize,
    },
    /// Attention was asked for without a layer, or of a layer that the decoder does not have.
    #[error(
        "can't average the attention of layers {asked:?}: the decoder has {layers} layers, numbered from 0; name at least one"
    )]
    AttentionLayers {
        /// The layers that were asked for.
        asked: Vec<usize>,
        /// The number of decoder layers.
        layers: usize,
    },
    /// A text can't be parsed as [`Words`](crate::Words).
    #[error(
        "can't parse {text:?} as words: expected a word or phrase such as dog, or several forms separated by |, with * at the end of all of them or of none"
    )]
    Words {
        /// The text.
        text: String,
    },
    /// The model has no tokens to write a text with.
    #[error(
        "the model can't write {text:?}: it has a character without a token, or the name of a special token"
    )]
    Unwritable {
        /// The text.
        text: String,
    },
    /// The search found no caption with all required words.
    #[error(
        "no caption in {language} with all required words was found; allow more beams or tokens, or ask for other words"
    )]
    WordsMissing {
        /// The code of the language.
        language: &'static str,
    },
    /// The search failed for another reason.
    #[error("no caption in {language}")]
    NoCaption {
        /// The code of the language.
        language: &'static str,
        /// The reason.
        source: PromptError,
    },
    /// The operating system could not start the threads of a [`Pipeline`](crate::Pipeline).
    // Its message repeats its own source, so it is part of this message and not a source.
    #[error("can't start threads: {0}")]
    Threads(rayon::ThreadPoolBuildError),
    /// A shortlist has no tokens, or tokens that the model does not score, or they do not ascend.
    #[error(
        "can't make a shortlist: expected at least one token, in ascending order, all below {vocab_size}"
    )]
    Shortlist {
        /// The number of tokens that the model scores.
        vocab_size: usize,
    },
}

impl Error {
    /// Why the search found no caption in a language.
    pub(crate) fn no_caption(language: Language, error: PromptError) -> Self {
        let language = language.code;
        match error {
            PromptError::PhrasesMissing { .. } => Self::WordsMissing { language },
            source => Self::NoCaption { language, source },
        }
    }
}
