use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::StartError;

/// The file of all captions, a line of JSON for each.
pub(crate) struct CaptionsFile {
    path: PathBuf,
    file: File,
    /// The lines of the batch that is being written.
    lines: String,
}

/// A caption.
#[derive(Serialize)]
pub(crate) struct CaptionLine<'a> {
    pub(crate) image: Cow<'a, str>,
    /// The bytes of a name that is not UTF-8, in the percent form of URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image_percent: Option<String>,
    pub(crate) lang: &'a str,
    pub(crate) prediction: &'a str,
    pub(crate) references: &'a [String],
    /// The model's own score of its caption.
    pub(crate) score: f32,
}

impl CaptionsFile {
    pub(crate) fn create(path: &Path) -> Result<Self, StartError> {
        let file = File::create(path).map_err(|source| StartError::Write {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
            lines: String::new(),
        })
    }

    pub(crate) fn add(&mut self, line: &CaptionLine<'_>) -> Result<(), StartError> {
        let line = report::json_line(line).map_err(|error| self.error(error.into()))?;
        self.lines.push_str(&line);
        Ok(())
    }

    /// Writes the lines of a batch.
    pub(crate) fn flush(&mut self) -> Result<(), StartError> {
        let written = self.file.write_all(self.lines.as_bytes());
        written.map_err(|error| self.error(error))?;
        self.lines.clear();
        Ok(())
    }

    fn error(&self, source: std::io::Error) -> StartError {
        StartError::Write {
            path: self.path.clone(),
            source,
        }
    }
}
