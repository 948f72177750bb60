use std::borrow::Cow;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use captioning::RgbImage;
use datasets::{Example, ImageSource, Skipped};
use preprocess::image::decode::{DecodeOptions, decode};
use whole_files::{StandIn, limits};

use crate::error::PictureError;

/// The argument that means standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// Pictures of more pixels are decoded one at a time, so that several threads do not need the memory of several of them.
const LARGE: u64 = 1 << 25;

/// Decodes pictures on several threads.
#[derive(Debug)]
pub(crate) struct PictureDecoder {
    options: DecodeOptions,
    large: Mutex<()>,
}

impl PictureDecoder {
    pub(crate) fn new(options: DecodeOptions) -> Self {
        Self {
            options,
            large: Mutex::new(()),
        }
    }

    /// Decodes the bytes of a picture.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Result<RgbImage, preprocess::Error> {
        let most = self.options.max_pixels.min(LARGE);
        match decode(bytes, &self.options.clone().with_max_pixels(most)) {
            Err(preprocess::Error::ImageTooLarge { .. }) => {
                // A panic while another picture was decoded has left nothing behind.
                let _alone = self.large.lock().unwrap_or_else(PoisonError::into_inner);
                decode(bytes, &self.options)
            }
            decoded => decoded,
        }
    }
}

/// A picture that was asked for.
#[derive(Debug)]
pub(crate) struct Picture {
    path: PathBuf,
    /// Where it stands, if it does not stand alone.
    place: Option<Place>,
    content: Content,
}

/// A place in a shard.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) shard: Arc<Path>,
    /// The entry or row, from 1.
    pub(crate) row: u64,
}

/// Where the bytes of a picture are.
#[derive(Debug)]
enum Content {
    /// In the file of its path.
    File,
    Here(Vec<u8>),
    /// Nowhere: something else stands in its place.
    Skipped(Skipped),
    /// Nowhere: from here on, its shard can't be read.
    Lost(Arc<datasets::Error>),
}

impl Picture {
    /// A file, or standard input for `-`; a file of that name is `./-`.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            place: None,
            content: Content::File,
        }
    }

    /// A picture of a shard.
    pub(super) fn member(shard: &Arc<Path>, example: Example) -> Self {
        let (path, content) = match example.image {
            ImageSource::File(path) => (path, Content::File),
            ImageSource::Bytes { name, bytes } => (name.into(), Content::Here(bytes)),
        };
        Self {
            path,
            place: Some(Place {
                shard: Arc::clone(shard),
                row: example.origin.row,
            }),
            content,
        }
    }

    /// What can't be used of a shard.
    pub(super) fn skipped(shard: &Arc<Path>, skipped: Skipped) -> Self {
        let row = skipped.origin.row;
        let image = skipped.image.clone();
        Self {
            path: image.unwrap_or_else(|| format!("row {row}")).into(),
            place: Some(Place {
                shard: Arc::clone(shard),
                row,
            }),
            content: Content::Skipped(skipped),
        }
    }

    /// The rest of a shard, which can't be read.
    pub(super) fn lost(shard: PathBuf, error: datasets::Error) -> Self {
        Self {
            path: shard,
            place: None,
            content: Content::Lost(Arc::new(error)),
        }
    }

    /// Whether the rest of its shard can't be read, so that there is more than one picture less.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.content, Content::Lost(_))
    }

    /// Where it stands, if it is part of a shard.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The path as the user gave it, or that of a file in a folder; in a shard, the name there.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path as text shows it.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Some(place) => format!(
                "{}, {}",
                report::name(&place.shard),
                report::name(&self.path)
            ),
            None => report::name(&self.path),
        }
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
    pub(crate) fn open(&self, decoder: &PictureDecoder) -> Result<RgbImage, PictureError> {
        decoder
            .decode(&self.bytes()?)
            .map_err(|source| PictureError::Decode {
                picture: self.named(),
                source,
            })
    }

    /// Forgets its bytes, once it was opened.
    pub(crate) fn forget_bytes(&mut self) {
        if let Content::Here(bytes) = &mut self.content {
            *bytes = Vec::new();
        }
    }

    /// The bytes of its file.
    pub(crate) fn bytes(&self) -> Result<Cow<'_, [u8]>, PictureError> {
        match &self.content {
            Content::Here(bytes) => Ok(bytes.into()),
            Content::Skipped(skipped) => Err(PictureError::Skipped {
                picture: self.named(),
                reason: skipped.reason,
                detail: skipped.detail.clone(),
            }),
            Content::Lost(error) => Err(PictureError::Lost(Arc::clone(error))),
            Content::File if self.is_standard_input() => {
                Ok(standard_input(limits::PICTURE)?.into())
            }
            Content::File => Ok(whole_files::read(&self.path, limits::PICTURE)?.into()),
        }
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
        self.place.is_none() && self.path.as_os_str() == STANDARD_INPUT
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
