use std::io;
#[cfg(any(feature = "image", feature = "text"))]
use std::path::Path;
use std::path::PathBuf;

/// What can be wrong with files, bytes, options and texts from outside.
///
/// Functions that take a path say in which file it happened: [`Error::Read`] and [`Error::Write`] have the path
/// themselves, everything else is wrapped in [`Error::File`]. [`Error::cause`] takes the wrapper off.
///
/// A message does not repeat its [`source`](std::error::Error::source): print the whole chain, joined by `": "` for
/// example.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The content of a file can't be used; the source says why.
    #[error("can't use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content; never an [`Error::File`] itself.
        source: Box<Error>,
    },
    /// A file can't be read, is no regular file or is too large.
    #[error(transparent)]
    Read(#[from] whole_files::ReadError),
    /// The operating system could not write a file.
    #[error("can't write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A folder holds no tokenizer.
    #[error(
        "{}: expected a tokenizer ({}), found none; published captioning checkpoints come without a tokenizer: put \
         sentencepiece.bpe.model of https://huggingface.co/facebook/mbart-large-50, or a tokenizer.json saved from it, \
         into this folder, or use the tokenizer of another folder",
        folder.display(), expected.join(", ")
    )]
    NoTokenizer {
        /// The folder.
        folder: PathBuf,
        /// The file names that were looked for, in order.
        expected: Vec<&'static str>,
    },
    /// A text is not JSON, or not JSON of the expected structure.
    #[error("expected JSON as Hugging Face writes it")]
    Json(#[from] serde_json::Error),
    /// An option of `preprocessor_config.json` or `tokenizer_config.json` can't be used.
    #[error("option {key}: expected {expected}, found {found}")]
    Config {
        /// The option.
        key: String,
        /// The values that it may have.
        expected: String,
        /// The value that it has.
        found: String,
    },
    /// A configuration names an image processor that is not known.
    #[error(
        "expected an image processor that is known here ({}), found {found:?}; \
         if it does the same as one of these, name that one as image_processor_type", known.join(", ")
    )]
    UnknownImageProcessor {
        /// The name.
        found: String,
        /// The classes that are known, by the names that transformers 5 writes.
        known: Vec<&'static str>,
    },
    /// The bytes are not an image in a format that is decoded here.
    #[error(
        "expected an image (PNG, JPEG, WebP, GIF, TIFF, BMP, ICO, PNM or QOI), found {bytes} bytes of something else"
    )]
    UnknownFormat {
        /// Number of bytes.
        bytes: usize,
    },
    /// The bytes are something that is known and not decoded here, such as a HEIC image or a PDF document.
    #[error(
        "expected an image (PNG, JPEG, WebP, GIF, TIFF, BMP, ICO, PNM or QOI), found {found}; {advice}"
    )]
    ForeignFormat {
        /// What it is.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The bytes start like an image but do not decode.
    #[error(
        "expected a complete {format} image, found one that does not decode ({reason}); it may be cut short or damaged: get the file again"
    )]
    Damaged {
        /// The format that the first bytes announce.
        format: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The image is sound, but of a kind within its format that is not decoded here, such as a JPEG with arithmetic coding.
    #[error(
        "expected a kind of {format} image that is decoded here, found another ({reason}); convert it to PNG"
    )]
    UnsupportedImage {
        /// The format that the first bytes announce.
        format: String,
        /// Which kind it is.
        reason: String,
    },
    /// The header announces more pixels than allowed; nothing of that size was allocated.
    #[error(
        "expected an image of at most {limit} pixels, found a header that announces {width} x {height}; \
         make it smaller with another program"
    )]
    ImageTooLarge {
        /// Announced width.
        width: u32,
        /// Announced height.
        height: u32,
        /// The limit in force.
        limit: u64,
    },
    /// There is no memory to decode the image.
    #[error("there is not enough memory to decode an image of {width} x {height} pixels")]
    OutOfMemory {
        /// Announced width.
        width: u32,
        /// Announced height.
        height: u32,
    },
    /// Width, height and number of bytes of an image do not fit together.
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
    /// A resize would produce more pixels than allowed; nothing was allocated.
    #[error(
        "expected a result of at most {limit} pixels, found that it would have {height} rows of {width}; \
         crop the centre (do_center_crop) or choose a smaller size"
    )]
    ResultTooLarge {
        /// The largest number of pixels.
        limit: u64,
        /// Rows.
        height: u64,
        /// Pixels in a row.
        width: u64,
    },
    /// The images of a batch come out in different sizes, so they do not fit into one tensor.
    #[error(
        "expected all images of a batch as {first:?} (height, width) like the first, found {found:?} for image {index}; \
         crop the centre (do_center_crop) or process them one by one"
    )]
    MixedSizes {
        /// Height and width of the first image's result.
        first: [u64; 2],
        /// Index of the image that differs.
        index: usize,
        /// Height and width of that image's result.
        found: [u64; 2],
    },
    /// A folder has the files of a tokenizer that is not known.
    #[error(
        "expected a tokenizer.json or a tokenizer_class that is known here ({}), found {found:?}; \
         save_pretrained of its class in transformers writes a tokenizer.json", known.join(", ")
    )]
    UnknownTokenizer {
        /// The class that the folder names.
        found: String,
        /// The classes that are known, by the names that transformers 5 writes.
        known: Vec<&'static str>,
    },
    /// A tokenizer can decode, but not encode, since it splits texts with a program and its dictionary.
    #[error(
        "expected a tokenizer that splits texts by itself, found one that needs {program}, which is not part of this \
         library; it can decode"
    )]
    WordSplitter {
        /// The program.
        program: &'static str,
    },
    /// A tokenizer file holds a model of another kind.
    #[error("expected {expected}, found {found}")]
    TokenizerModel {
        /// The kinds that could be used.
        expected: &'static str,
        /// The kind of model that the file names.
        found: String,
    },
    /// A tokenizer file is damaged, too large or does not fit together.
    #[error("expected {expected}, found {found}")]
    TokenizerFile {
        /// What the file should hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// A part of a `tokenizer.json` is of a kind that no tokenizer of the supported families has, or has options that
    /// would make it fail, or take time and memory out of proportion, on some texts.
    #[error("{place}: expected {expected}, found {found}")]
    TokenizerPart {
        /// The part: a key of the file, and the number of the step in it, from 0.
        place: String,
        /// What is supported there.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// The tokenizer has no such language code.
    #[error("expected {}, found {code:?}", language_codes(known))]
    UnknownLanguage {
        /// The code.
        code: String,
        /// The codes that the tokenizer has, in the order of their ids.
        known: Vec<String>,
    },
    /// A text is not a language code.
    #[error(
        "expected a language code like ca_ES: a language of ISO 639 in two or three letters and a country of \
         ISO 3166, XX or a script, found {found:?}"
    )]
    LanguageCode {
        /// The text.
        found: String,
    },
    /// `max_length` leaves no room for the tokens that every text has.
    #[error(
        "expected a max_length of at least 2 (the language code and </s> always stay), found {max_length}"
    )]
    MaxLength {
        /// The requested length.
        max_length: usize,
    },
    /// The `tokenizers` crate could not process a text, or set up or write a tokenizer.
    #[error("the tokenizer failed")]
    Tokenize(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The error without [`Error::File`] around it.
    pub fn cause(&self) -> &Self {
        match self {
            Self::File { source, .. } => source,
            other => other,
        }
    }
}

/// What [`Error::UnknownLanguage`] expects.
fn language_codes(known: &[String]) -> String {
    match known {
        [] => "no language, since the tokenizer has none (use encode_text)".to_owned(),
        known => format!("one of the language codes {}", known.join(", ")),
    }
}

/// Writes a file, which is replaced as a whole: a reader never sees a part of it.
#[cfg(any(feature = "image", feature = "text"))]
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    whole_files::replace(path, text.as_bytes()).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(any(feature = "image", feature = "text"))]
impl Error {
    /// Says in which file it happened.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        match self {
            named @ (Self::File { .. } | Self::Read(_) | Self::Write { .. }) => named,
            error => Self::File {
                path: path.to_owned(),
                source: Box::new(error),
            },
        }
    }

    /// An [`Error::TokenizerFile`].
    #[cfg(feature = "text")]
    pub(crate) fn tokenizer_file(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::TokenizerFile {
            expected: expected.into(),
            found: found.into(),
        }
    }
}

#[cfg(all(test, any(feature = "image", feature = "text")))]
mod tests {
    use std::error::Error as _;

    use whole_files::ReadError;

    use super::*;

    /// The messages of an error and its sources, joined.
    fn chain(error: &dyn std::error::Error) -> String {
        match error.source() {
            Some(source) => format!("{error}: {}", chain(source)),
            None => error.to_string(),
        }
    }

    #[test]
    fn a_message_leaves_the_cause_to_its_source() {
        let path = Path::new("folder/file");
        let json = serde_json::from_str::<u32>("{").unwrap_err();
        let cause = || io::Error::other("a cause");
        let read = |path: &Path| ReadError::Io {
            path: path.to_owned(),
            source: cause(),
        };
        for (error, expected) in [
            (Error::Read(read(path)), "can't read folder/file: a cause"),
            (
                Error::Write {
                    path: path.to_owned(),
                    source: cause(),
                },
                "can't write folder/file: a cause",
            ),
            (
                Error::Json(json).in_file(path),
                "can't use folder/file: expected JSON as Hugging Face writes it: \
                 invalid type: map, expected u32 at line 1 column 0",
            ),
            (
                Error::Tokenize("a cause".into()).in_file(path),
                "can't use folder/file: the tokenizer failed: a cause",
            ),
        ] {
            assert_eq!(chain(&error), expected);
            let source = error.source().unwrap().to_string();
            assert!(!error.to_string().contains(&source), "{error}");
        }
    }

    #[test]
    fn a_file_is_named_once() {
        let error = Error::MaxLength { max_length: 1 };
        let inner = error.in_file(Path::new("inner"));
        let error = inner.in_file(Path::new("outer"));
        assert!(matches!(&error, Error::File { path, .. } if path == Path::new("inner")));
        assert!(matches!(error.cause(), Error::MaxLength { .. }));
        let error = Error::Read(ReadError::NotRegular {
            path: "inner".into(),
        });
        let error = error.in_file(Path::new("outer"));
        assert!(matches!(&error, Error::Read(read) if read.path() == Path::new("inner")));
    }
}
