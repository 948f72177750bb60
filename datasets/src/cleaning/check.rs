use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::time::UNIX_EPOCH;

use preprocess::image::RgbImage;
use preprocess::image::decode::{self, DecodeOptions};
use sha2::{Digest, Sha256};
use whole_files::limits;

use super::{CleaningConfig, Facts, Identity, Problem, Sound, Unusable};
use crate::ImageSource;
use crate::resources::is_short;

/// Looks at pictures: reads, decodes and hashes one at a time. It decides nothing, and is shared by threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureCheck {
    pub(super) max_pixels: u64,
    pub(super) identity: Identity,
    pub(super) near: bool,
}

/// The machine is short of memory, or has too many files open, so that nothing can be said about a picture.
#[derive(Debug, thiserror::Error)]
#[error(
    "can't look at {picture} now, though it may be sound; end other programs, use fewer threads, or allow fewer pixels"
)]
pub struct CheckError {
    /// The picture.
    pub picture: String,
    /// What is lacking.
    pub source: preprocess::Error,
}

impl CheckError {
    /// The error of a picture that can't be read now.
    ///
    /// # Errors
    /// Gives the error back if it is the picture's and not the machine's.
    pub fn new(image: &ImageSource, source: preprocess::Error) -> Result<Self, preprocess::Error> {
        match is_short(&source) {
            false => Err(source),
            true => Ok(Self {
                picture: match image {
                    ImageSource::File(path) => path.display().to_string(),
                    ImageSource::Bytes { name, .. } => name.clone(),
                },
                source,
            }),
        }
    }
}

impl PictureCheck {
    /// The check that these rules need.
    pub fn new(config: &CleaningConfig) -> Self {
        Self {
            max_pixels: config.pictures.max_pixels,
            identity: config.duplicates.identity,
            near: config.duplicates.near_distance.is_some(),
        }
    }

    /// Looks at a picture. Whatever is wrong with it is a fact, not an error.
    ///
    /// # Errors
    /// [`CheckError`] if there is not enough memory, or too many files are open.
    pub fn check(&self, image: &ImageSource) -> Result<Facts, CheckError> {
        // Decoders are caught where they are called; this is for what nobody thought of, which costs one picture.
        let checked = panic::catch_unwind(AssertUnwindSafe(|| match image {
            ImageSource::File(path) => self.check_bytes(&whole_files::read(path, limits::PICTURE)?),
            ImageSource::Bytes { bytes, .. } => self.check_bytes(bytes),
        }));
        match checked {
            Ok(Ok(sound)) => Ok(Facts::Sound(sound)),
            Ok(Err(error)) => match CheckError::new(image, error) {
                Ok(error) => Err(error),
                Err(error) => Ok(Facts::Unusable((&error).into())),
            },
            Err(_) => Ok(Facts::Unusable(Unusable {
                problem: Problem::Damaged,
                message:
                    "the check can't cope with it; this is a fault in the program, please report it"
                        .into(),
            })),
        }
    }

    fn check_bytes(&self, bytes: &[u8]) -> Result<Sound, preprocess::Error> {
        let options = DecodeOptions::default().with_max_pixels(self.max_pixels);
        let image = decode::decode(bytes, &options)?;
        Ok(Sound {
            width: image.width(),
            height: image.height(),
            identity: match self.identity {
                Identity::File => shortened(Sha256::new_with_prefix(bytes)),
                Identity::Pixels => {
                    let mut hash = Sha256::new();
                    hash.update(image.width().to_le_bytes());
                    hash.update(image.height().to_le_bytes());
                    hash.update(image.pixels());
                    shortened(hash)
                }
            },
            near: if self.near {
                perceptual_hash(&image)
            } else {
                None
            },
        })
    }

    /// What tells whether a picture may have changed: of a file its name, size and time, of bytes themselves.
    pub(super) fn stamp(image: &ImageSource) -> [u8; 16] {
        let mut hash = Sha256::new();
        match image {
            ImageSource::File(path) => {
                hash.update(path.as_os_str().as_encoded_bytes());
                hash.update(state(path));
            }
            ImageSource::Bytes { name, bytes } => {
                hash.update(name.as_bytes());
                hash.update([0]);
                hash.update(bytes);
            }
        }
        shortened(hash)
    }
}

/// Size and time of a file's content; zeros if there is none.
fn state(path: &Path) -> [u8; 24] {
    let mut state = [0; 24];
    if let Ok(metadata) = fs::metadata(path) {
        let time = metadata.modified().ok();
        let time = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let nanoseconds = time.map_or(1, |time| time.as_nanos());
        state[..8].copy_from_slice(&metadata.len().to_le_bytes());
        state[8..].copy_from_slice(&nanoseconds.to_le_bytes());
    }
    state
}

pub(super) fn shortened<const N: usize>(hash: Sha256) -> [u8; N] {
    let hash = hash.finalize();
    let mut result = [0; N];
    result.copy_from_slice(&hash[..N]);
    result
}

/// The gradient hash of 8 x 8 bits of the crate `image_hasher` (dHash: whether each of 9 x 8 grey pixels is brighter than
/// its neighbour), of the picture at 64 x 64 pixels, which Pillow's resize makes of it faster than that crate does.
#[cfg(feature = "near-duplicates")]
fn perceptual_hash(image: &RgbImage) -> Option<u64> {
    use image_hasher::{HashAlg, HasherConfig};
    use preprocess::image::{Resample, resize};

    let small = resize(image, 64, 64, Resample::Box).ok()?;
    let small = image::RgbImage::from_raw(64, 64, small.into_pixels())?;
    let hasher = HasherConfig::new()
        .hash_size(8, 8)
        .hash_alg(HashAlg::Gradient);
    let hash = hasher.to_hasher().hash_image(&small);
    Some(u64::from_le_bytes(hash.as_bytes().try_into().ok()?))
}

#[cfg(not(feature = "near-duplicates"))]
fn perceptual_hash(_image: &RgbImage) -> Option<u64> {
    None
}
