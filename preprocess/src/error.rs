use std::path::{Path, PathBuf};

/// What can go wrong with files, bytes, options and texts from outside.
///
/// Functions that take a path wrap the cause in [`Error::File`], so a message always says where to look;
/// [`Error::cause`] goes straight to what went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something is wrong with a file; `error` says what.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; never a [`Error::File`] itself.
        error: Box<Error>,
    },
    /// The operating system could not read the file.
    #[error("can't be read: {0}")]
    Read(#[from] std::io::Error),
    /// The operating system could not write the file.
    #[error("can't be written: {0}")]
    Write(#[source] std::io::Error),
    /// A folder holds no tokenizer.
    #[error(
        "{}: expected one of {}, found none; published captioning checkpoints come without a tokenizer: put \
         sentencepiece.bpe.model of https://huggingface.co/facebook/mbart-large-50, or a tokenizer.json saved from it, \
         into this folder, or take the tokenizer of another",
        folder.display(), expected.join(", ")
    )]
    NoTokenizer {
        /// The folder.
        folder: PathBuf,
        /// The names that were looked for, in order.
        expected: Vec<&'static str>,
    },
    /// A text that should be JSON is not, or has not the expected structure.
    #[error("expected JSON as Hugging Face writes it, found: {0}")]
    Json(#[from] serde_json::Error),
    /// An option of `preprocessor_config.json` can't be used.
    #[error("option {key}: expected {expected}, found {found}")]
    Config {
        /// The option.
        key: String,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The bytes are no image in a format that this build decodes.
    #[error(
        "expected an image in a supported format (see preprocess::image::decode), found {bytes} bytes of something else"
    )]
    UnknownFormat {
        /// How many bytes there are.
        bytes: usize,
    },
    /// The bytes look like an image but do not decode.
    #[error(
        "expected a complete {format} image, but it does not decode ({reason}); it may be cut short or damaged"
    )]
    Damaged {
        /// The format that its first bytes announce.
        format: String,
        /// What the decoder said.
        reason: String,
    },
    /// The image is of a kind within its format that the decoder lacks (a TIFF with a palette, say).
    #[error(
        "expected a kind of {format} image that the decoder knows, found another ({reason}); convert it to PNG"
    )]
    UnsupportedImage {
        /// The format that its first bytes announce.
        format: String,
        /// What the decoder said.
        reason: String,
    },
    /// The header announces more pixels than allowed; nothing was allocated.
    #[error(
        "expected at most {limit} pixels, found a header that announces {width} x {height}; \
         if you trust the file, raise DecodeOptions::max_pixels"
    )]
    ImageTooLarge {
        /// Announced width.
        width: u32,
        /// Announced height.
        height: u32,
        /// The limit in force.
        limit: u64,
    },
    /// Width, height and bytes of an image do not fit together.
    #[error(
        "expected an image of at least 1 x 1 pixels with width x height x 3 bytes, found {width} x {height} and {bytes} bytes"
    )]
    ImageShape {
        /// Width.
        width: u32,
        /// Height.
        height: u32,
        /// Length of the buffer.
        bytes: usize,
    },
    /// A resize would make more than [`MAX_PIXELS`](crate::MAX_PIXELS) pixels; nothing was allocated.
    #[error(
        "expected a result of at most {limit} pixels, found that it would have {height} rows of {width}; \
         crop the centre (do_center_crop) or choose a smaller size",
        limit = crate::MAX_PIXELS
    )]
    ResultTooLarge {
        /// Rows.
        height: u64,
        /// Pixels in a row.
        width: u64,
    },
    /// The images of a batch come out in different sizes, so they have no common tensor.
    #[error(
        "expected all images of a batch as {first:?} (height, width) like the first, found {found:?} for image {index}; \
         crop the centre (do_center_crop) or process them one by one"
    )]
    MixedSizes {
        /// Height and width of the first image's result.
        first: [u64; 2],
        /// Which image differs.
        index: usize,
        /// Height and width of that image's result.
        found: [u64; 2],
    },
    /// A tokenizer file is damaged or of a kind that mBART-50 does not use.
    #[error("expected {expected}, found {found}")]
    TokenizerFile {
        /// What the file should hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// A language code is not one of the tokenizer's.
    #[error("expected one of the language codes {}, found {code:?}", known.join(", "))]
    UnknownLanguage {
        /// The code.
        code: String,
        /// The codes that the tokenizer knows, in the order of their ids.
        known: Vec<String>,
    },
    /// No text fits into so few tokens.
    #[error(
        "expected a max_length of at least 2 (the language code and </s> always stay), found {max_length}"
    )]
    MaxLength {
        /// The length asked for.
        max_length: usize,
    },
    /// The tokenizer could not process a text.
    #[error("the tokenizer failed: {0}")]
    Tokenize(String),
}

impl Error {
    /// The error without the file name around it.
    pub fn cause(&self) -> &Self {
        match self {
            Self::File { error, .. } => error,
            other => other,
        }
    }

    /// An [`Error::TokenizerFile`].
    pub(crate) fn tokenizer_file(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::TokenizerFile {
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// An [`Error::Tokenize`] from the boxed errors of the `tokenizers` crate.
    pub(crate) fn tokenize(error: tokenizers::Error) -> Self {
        Self::Tokenize(error.to_string())
    }

    /// Says in which file it happened; the innermost name wins.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        match self {
            named @ Self::File { .. } => named,
            error => Self::File {
                path: path.to_owned(),
                error: Box::new(error),
            },
        }
    }
}
