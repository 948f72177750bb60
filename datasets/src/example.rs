use std::fmt;
use std::path::PathBuf;

use preprocess::text::Language;

/// An image and its captions, as a data set names them: the image is not decoded and, if it is a file, not
/// even opened.
#[derive(Clone, Debug)]
pub struct Example {
    /// The image.
    pub image: ImageSource,
    /// Its captions, in the order of the data set.
    pub captions: Vec<Caption>,
    /// Where the image came from, if the data set says so.
    pub url: Option<String>,
    /// Where in the data set this example stands.
    pub origin: Origin,
}

/// A text about an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caption {
    /// The language that the text is written in.
    pub language: Language,
    /// The text.
    pub text: String,
}

/// The bytes of an image, or where they are.
#[derive(Clone, Debug)]
pub enum ImageSource {
    /// A file of its own.
    File(PathBuf),
    /// The content of an image file that is stored in a shard.
    Bytes {
        /// The name of the image within its shard.
        name: String,
        /// The content of the file.
        bytes: Vec<u8>,
    },
}

/// A position in a data set, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The table or shard.
    pub file: PathBuf,
    /// The first row, line or entry of the example in it, counted from 1.
    pub row: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, row {}", self.file.display(), self.row)
    }
}
