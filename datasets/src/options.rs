use std::path::PathBuf;

use preprocess::text::Language;
use serde::{Deserialize, Serialize};

/// How the files of a data set are read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The format of all files. `None`, the default: that of their names, or of their first bytes.
    pub format: Option<Format>,
    /// The folder that paths of images start from. `None`, the default: the folder of the table.
    pub image_folder: Option<PathBuf>,
    /// The names of a table's columns.
    pub columns: Columns,
    /// The language of captions that name none: of a table without a language column, of `.txt` files in a shard.
    pub language: Option<Language>,
    /// Whether fields of a table may be in quotation marks.
    pub quoting: Quoting,
    /// The largest number of bytes in a row of a table, and in a caption elsewhere; longer ones are skipped. 1 MiB by
    /// default.
    pub max_row_bytes: usize,
    /// The largest number of bytes in an image that is stored in a shard or in Parquet; larger ones are skipped. 256 MiB by default.
    pub max_image_bytes: u64,
    /// Whether captions are read: `true`. Without them, every image is an example, with or without captions in the data set,
    /// and has none; tables always have them.
    pub captions: bool,
    /// The folder in which indexes are kept for the next time. `None`, the default: in temporary files, which are made
    /// anew each time (in seconds, for millions of rows) and vanish at the end.
    pub index_folder: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: None,
            image_folder: None,
            columns: Columns::default(),
            language: None,
            quoting: Quoting::default(),
            max_row_bytes: 1 << 20,
            max_image_bytes: 256 << 20,
            captions: true,
            index_folder: None,
        }
    }
}

impl Options {
    /// Reads all files as this format.
    pub fn with_format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Looks for images in this folder.
    pub fn with_image_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.image_folder = Some(folder.into());
        self
    }

    /// Uses these names of columns.
    pub fn with_columns(mut self, columns: Columns) -> Self {
        self.columns = columns;
        self
    }

    /// Takes captions that name no language to be in this one.
    pub fn with_language(mut self, language: Language) -> Self {
        self.language = Some(language);
        self
    }

    /// Reads quotation marks in tables this way.
    pub fn with_quoting(mut self, quoting: Quoting) -> Self {
        self.quoting = quoting;
        self
    }

    /// Skips rows of tables, and captions elsewhere, with more bytes than this.
    pub fn with_max_row_bytes(mut self, bytes: usize) -> Self {
        self.max_row_bytes = bytes;
        self
    }

    /// Skips stored images with more bytes than this.
    pub fn with_max_image_bytes(mut self, bytes: u64) -> Self {
        self.max_image_bytes = bytes;
        self
    }

    /// Reads images alone, for example to caption them.
    pub fn without_captions(mut self) -> Self {
        self.captions = false;
        self
    }

    /// Keeps indexes in this folder for the next time.
    pub fn with_index_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.index_folder = Some(folder.into());
        self
    }
}

/// A format of files that hold a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Format {
    /// A table of tab-separated values whose first line has the names of the columns.
    Tsv,
    /// Apache Parquet (feature `parquet`).
    Parquet,
    /// A WebDataset shard: a tar archive with an image and its captions one after the other.
    WebDataset,
}

/// Whether fields of a table may be in quotation marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quoting {
    /// As pandas writes and reads by default, which is how the original project's tables were made: a field that begins
    /// with a quotation mark ends with one, and two within it stand for one.
    #[default]
    Minimal,
    /// Quotation marks are characters as others are (pandas: `quoting=csv.QUOTE_NONE`).
    None,
}

/// The names of the columns of a table. Others are ignored. In a shard, captions are read from JSON files alone if
/// their name is not the usual one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Columns {
    /// The image: its path, or in Parquet also its content. `image_file` by default, and in Parquet also `image`.
    pub image: String,
    /// The caption, or in Parquet also a list of captions: `caption`.
    pub caption: String,
    /// The language of the caption: `lang_id`.
    pub language: String,
    /// Where the image came from: `url`. It may be missing.
    pub url: String,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            image: "image_file".to_owned(),
            caption: "caption".to_owned(),
            language: "lang_id".to_owned(),
            url: "url".to_owned(),
        }
    }
}

impl Columns {
    /// Names the column of images.
    pub fn with_image(mut self, name: impl Into<String>) -> Self {
        self.image = name.into();
        self
    }

    /// Names the column of captions.
    pub fn with_caption(mut self, name: impl Into<String>) -> Self {
        self.caption = name.into();
        self
    }

    /// The name of the captions, if it is not the usual one.
    pub(crate) fn other_caption(&self) -> Option<&str> {
        (self.caption != Self::default().caption).then_some(&self.caption)
    }

    /// Names the column of languages.
    pub fn with_language(mut self, name: impl Into<String>) -> Self {
        self.language = name.into();
        self
    }

    /// Names the column of addresses.
    pub fn with_url(mut self, name: impl Into<String>) -> Self {
        self.url = name.into();
        self
    }
}
