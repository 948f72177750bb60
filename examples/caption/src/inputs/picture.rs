use std::io::{self, Read};
use std::path::{Path, PathBuf};

use captioning::RgbImage;
use preprocess::image::decode::{DecodeOptions, decode};
use whole_files::{StandIn, limits};

use crate::error::PictureError;

/// The argument that means standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

/// A picture that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    path: PathBuf,
}

impl Picture {
    /// A file, or standard input for `-`; a file of that name is `./-`.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The path as the user gave it, or that of a file in a folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path as text shows it.
    pub(crate) fn name(&self) -> String {
        report::name(&self.path)
    }

    /// The path in JSON, with U+FFFD for bytes that are not UTF-8.
    pub(crate) fn lossy(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// The beginning of the names of files about the picture, in percent form where it is not UTF-8.
    pub(crate) fn stem(&self) -> String {
        if self.is_standard_input() {
            return "standard-input".into();
        }
        let stem = Path::new(self.path.file_stem().unwrap_or_default());
        report::percent(stem).unwrap_or_else(|| stem.to_string_lossy().into_owned())
    }

    /// Reads and decodes the picture.
    pub(crate) fn open(&self, options: &DecodeOptions) -> Result<RgbImage, PictureError> {
        let bytes = match self.is_standard_input() {
            true => standard_input(limits::PICTURE)?,
            false => whole_files::read(&self.path, limits::PICTURE)?,
        };
        decode(&bytes, options).map_err(|source| PictureError::Decode {
            picture: self.named(),
            source,
        })
    }

    /// What messages call the picture.
    fn named(&self) -> String {
        match self.is_standard_input() {
            true => "the standard input".into(),
            false => self.name(),
        }
    }

    fn is_standard_input(&self) -> bool {
        // Not as paths, of which `-/` would be equal.
        self.path.as_os_str() == STANDARD_INPUT
    }
}

/// Reads standard input up to a limit.
fn standard_input(limit: u64) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Vec::new();
    let mut input = io::stdin().lock().take(limit + 1);
    input.read_to_end(&mut bytes).map_err(PictureError::Input)?;
    if bytes.len() as u64 > limit {
        return Err(PictureError::InputTooLarge { limit });
    }
    match StandIn::recognise(&bytes) {
        Some(found) => Err(PictureError::InputStandIn(found)),
        None => Ok(bytes),
    }
}
