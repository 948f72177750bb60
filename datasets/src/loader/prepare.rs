//! From a position to pixel values and captions.

use std::error::Error as _;

use preprocess::image::decode::{self, DecodeOptions};
use preprocess::image::{ImageProcessor, ImageProcessorConfig, PixelValues, ResizeTo};
use preprocess::text::Language;

use super::config::CaptionChoice;
use crate::augment::Random;
use crate::example::{Caption, Example, ImageSource};
use crate::resources::is_short;
use crate::{Augmentations, Entry, Error, IndexedDataset, SkipReason, Skipped};

/// What random numbers are for, so that one purpose does not change another.
const CAPTIONS: u64 = 1;
const PIXELS: u64 = 2;

/// Everything that preparing an image needs.
pub(super) struct Preparer {
    pub(super) dataset: IndexedDataset,
    pub(super) processor: ImageProcessor,
    pub(super) decode: DecodeOptions,
    pub(super) augmentations: Augmentations,
    pub(super) captions: CaptionChoice,
    pub(super) languages: Vec<Language>,
    pub(super) seed: u64,
}

/// An image that is ready for a batch.
pub(super) struct Ready {
    pub(super) position: u64,
    pub(super) pixels: PixelValues,
    pub(super) captions: Vec<Caption>,
    pub(super) image: String,
}

pub(super) type Prepared = Result<Ready, Skipped>;

impl Preparer {
    /// Prepares the example at a position in the data set, or says why that is impossible.
    pub(super) fn prepare(&self, epoch: u64, position: u64) -> Result<Prepared, Error> {
        let mut example = match self.dataset.get(position)? {
            Entry::Example(example) => example,
            Entry::Skipped(skipped) => return Ok(Err(skipped)),
        };
        let image = name_of(&example.image);
        let captions = self.chosen(std::mem::take(&mut example.captions), epoch, position);
        if captions.is_empty() {
            let detail =
                "no caption in the languages that are asked for that is not empty".to_owned();
            return Ok(Err(skip(example, image, SkipReason::NoCaption, detail)));
        }
        match self.pixels(&example.image, epoch, position) {
            Ok(pixels) => Ok(Ok(Ready {
                position,
                pixels,
                captions,
                image,
            })),
            // Another time would give other batches.
            Err((_, error)) if is_short(&error) => Err(Error::Prepare {
                source: error.into(),
            }),
            Err((reason, error)) => Ok(Err(skip(example, image, reason, chain(&error)))),
        }
    }

    fn chosen(&self, mut captions: Vec<Caption>, epoch: u64, position: u64) -> Vec<Caption> {
        captions.retain(|caption| {
            let wanted = self.languages.is_empty() || self.languages.contains(&caption.language);
            wanted && !caption.text.trim().is_empty()
        });
        if let CaptionChoice::AtMost(count) = self.captions
            && captions.len() > count
        {
            // Selection sampling: each choice of `count` captions is equally likely (Knuth, volume 2, algorithm S).
            let mut random = Random::new(self.seed, epoch, position, CAPTIONS);
            let (mut needed, mut left) = (count, captions.len());
            captions.retain(|_| {
                let chosen = random.below(left) < needed;
                left -= 1;
                needed -= usize::from(chosen);
                chosen
            });
        }
        captions
    }

    fn pixels(
        &self,
        image: &ImageSource,
        epoch: u64,
        position: u64,
    ) -> Result<PixelValues, (SkipReason, preprocess::Error)> {
        let decoded = match image {
            ImageSource::File(path) => decode::open(path, &self.decode),
            ImageSource::Bytes { bytes, .. } => decode::decode(bytes, &self.decode),
        };
        let decoded = decoded.map_err(|error| match error {
            preprocess::Error::Read(_) => (SkipReason::Unreadable, error),
            error => (SkipReason::NotAnImage, error),
        })?;
        let not_processed = |error| (SkipReason::NotProcessed, error);
        let changed = match self.augmentations.is_off() {
            true => decoded,
            false => {
                let mut random = Random::new(self.seed, epoch, position, PIXELS);
                let target = target(self.processor.config());
                self.augmentations
                    .apply(decoded, target, &mut random)
                    .map_err(not_processed)?
            }
        };
        self.processor.process(&changed).map_err(not_processed)
    }
}

/// The height and width that all images have in the end, if it is one size.
fn target(config: &ImageProcessorConfig) -> Option<[u32; 2]> {
    match config.size {
        _ if config.do_center_crop => Some([config.crop_size.height, config.crop_size.width]),
        ResizeTo::Exact { height, width } if config.do_resize => Some([height, width]),
        _ => None,
    }
}

fn name_of(image: &ImageSource) -> String {
    match image {
        ImageSource::File(path) => path.display().to_string(),
        ImageSource::Bytes { name, .. } => name.clone(),
    }
}

fn skip(example: Example, image: String, reason: SkipReason, detail: String) -> Skipped {
    Skipped {
        origin: example.origin,
        image: Some(image),
        reason,
        detail,
    }
}

fn chain(error: &preprocess::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}
