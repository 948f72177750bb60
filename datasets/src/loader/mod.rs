//! Batches of pixel values and captions, prepared ahead on threads.

mod ahead;
mod batches;
mod config;
mod prepare;

use std::sync::Arc;

use preprocess::image::ImageProcessor;
use preprocess::image::decode::DecodeOptions;

pub use self::batches::{Batch, BatchCaption, Batches, Position};
pub use self::config::{CaptionChoice, LoaderConfig};
use self::prepare::Preparer;
use crate::order::Order;
use crate::{Error, IndexedDataset};

/// Makes batches of a data set.
///
/// Which images a batch has, which of their captions, and every pixel depend on the configuration and the [`Position`]
/// alone, whatever the number of threads: a run that goes on from a saved position gets what an uninterrupted one gets. An
/// image is decoded and processed once for all of its captions. One that is missing or broken is named in
/// [`Batch::skipped`], and replaced by the one that follows if there is one device; see [`LoaderConfig::rank`].
#[derive(Clone)]
pub struct Loader {
    preparer: Arc<Preparer>,
    order: Order,
    config: Arc<LoaderConfig>,
}

impl Loader {
    /// Makes batches with the image processor of a model: that of its checkpoint, or
    /// [`ImageProcessorConfig::as_published`](preprocess::image::ImageProcessorConfig::as_published) for the original's
    /// transform.
    ///
    /// # Errors
    /// - [`Error::Option`] if a value of the configuration makes no sense, or if `drop_last` leaves no batch at all.
    /// - [`Error::NoExamples`] if the data set has fewer examples than there are devices.
    pub fn new(
        dataset: IndexedDataset,
        processor: ImageProcessor,
        config: LoaderConfig,
    ) -> Result<Self, Error> {
        let languages = config.validate()?;
        let order = Order::new(dataset.len(), dataset.blocks(), config.shuffle, config.seed);
        dataset.keep_blocks(order.window());
        let loader = Self {
            order,
            preparer: Arc::new(Preparer {
                dataset,
                processor,
                decode: DecodeOptions::default(),
                augmentations: config.augmentations.clone(),
                captions: config.captions,
                languages,
                seed: config.seed,
            }),
            config: Arc::new(config),
        };
        if loader.preparer.dataset.len() < loader.config.world_size as u64 {
            let counts = loader.preparer.dataset.skip_counts();
            return Err(Error::NoExamples {
                skipped: counts.total(),
                example: loader
                    .preparer
                    .dataset
                    .skipped()
                    .next()
                    .map(|skipped| skipped.to_string()),
            });
        }
        if loader.batches_per_epoch() == 0 {
            return Err(Error::Option {
                option: "batch_size",
                expected: "at most the images of an epoch on one device, since drop_last leaves smaller batches out",
                found: format!("{} of {}", loader.config.batch_size, loader.images()),
            });
        }
        Ok(loader)
    }

    /// Decodes images with these options: EXIF orientation, transparency, limits.
    pub fn with_decode_options(mut self, options: DecodeOptions) -> Self {
        let Preparer {
            dataset,
            processor,
            augmentations,
            captions,
            languages,
            seed,
            decode: _,
        } = &*self.preparer;
        self.preparer = Arc::new(Preparer {
            dataset: dataset.clone(),
            processor: processor.clone(),
            augmentations: augmentations.clone(),
            captions: *captions,
            languages: languages.clone(),
            seed: *seed,
            decode: options,
        });
        self
    }

    /// The configuration.
    pub fn config(&self) -> &LoaderConfig {
        &self.config
    }

    /// The data set.
    pub fn dataset(&self) -> &IndexedDataset {
        &self.preparer.dataset
    }

    /// The images of an epoch on this device, those that will be skipped included: the same number on each device, so that
    /// all have as many batches. With `drop_last`, images that are left over are left out; without, the last place of some
    /// devices is empty.
    pub fn images(&self) -> u64 {
        let (length, world) = (self.preparer.dataset.len(), self.config.world_size as u64);
        match self.config.drop_last {
            true => length / world,
            false => length.div_ceil(world),
        }
    }

    /// The batches of an epoch on this device: exactly if there are several devices, and with one if no image is skipped.
    pub fn batches_per_epoch(&self) -> u64 {
        let size = self.config.batch_size as u64;
        match self.config.drop_last {
            true => self.images() / size,
            false => self.images().div_ceil(size),
        }
    }

    /// Starts the threads, and gives the batches from a position to the end of the epoch before `end`: from
    /// `Position::default()` to 7, these are seven epochs. A batch has images of one epoch only.
    ///
    /// # Errors
    /// [`Error::Option`] if there is no such position; [`Error::Prepare`] if threads can't be started. A batch is an error
    /// - if a table, a shard or an index can't be read any more ([`Error::Read`], [`Error::Changed`]),
    /// - if its images have different sizes ([`Error::MixedSizes`]),
    /// - if no image of a whole epoch on this device can be used ([`Error::NoExamples`]),
    /// - if there is not enough memory, or too many files are open, to prepare one ([`Error::Prepare`]).
    pub fn batches(&self, from: Position, end: u64) -> Result<Batches, Error> {
        Batches::new(self, from, end)
    }
}
