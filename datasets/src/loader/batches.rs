use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use preprocess::image::PixelValues;
use preprocess::text::Language;
use serde::{Deserialize, Serialize};

use super::ahead::Ahead;
use super::prepare::{Prepared, Ready};
use super::{Loader, LoaderConfig};
use crate::order::{EpochOrder, Order};
use crate::{Error, SkipCounts, Skipped};

/// Where a device is in the data: saved with a checkpoint, it lets training go on with exactly the batches that would have
/// come.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position {
    /// The epoch, from 0.
    pub epoch: u64,
    /// How many of this device's images of the epoch were used or skipped.
    pub index: u64,
}

/// Images and their captions.
#[derive(Clone, Debug)]
pub struct Batch {
    /// `[images, 3, height, width]`, as the image processor makes them.
    pub pixel_values: PixelValues,
    /// The captions of all images, image by image.
    pub captions: Vec<BatchCaption>,
    /// The positions of the images in the data set.
    pub examples: Vec<u64>,
    /// The epoch that the images are of.
    pub epoch: u64,
    /// Where to go on after this batch.
    pub next: Position,
    /// What was passed over since the last batch because it can't be used.
    pub skipped: Vec<Skipped>,
}

/// A caption of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchCaption {
    /// Which image of the batch it is about.
    pub image: usize,
    /// The language that the text is written in.
    pub language: Language,
    /// The text.
    pub text: String,
}

/// The batches of one or several epochs: the iterator of [`Loader::batches`]. Threads prepare images ahead of it, and end
/// when it is dropped. After an error there are no more batches.
pub struct Batches {
    ahead: Ahead<Result<Prepared, Error>>,
    config: Arc<LoaderConfig>,
    /// Images of a whole epoch on this device.
    length: u64,
    position: Position,
    /// Whether the epoch has had a batch, or was not begun at its beginning.
    had_batch: bool,
    skipped: Vec<Skipped>,
    counts: SkipCounts,
    ended: bool,
}

impl Batches {
    pub(super) fn new(loader: &Loader, from: Position, end: u64) -> Result<Self, Error> {
        let length = loader.images();
        if from.index > length {
            return Err(Error::Option {
                option: "position",
                expected: "an index of at most the images of an epoch on this device",
                found: format!("{} of {length}", from.index),
            });
        }
        let epochs = end.saturating_sub(from.epoch);
        let total = epochs.saturating_mul(length).saturating_sub(from.index);
        let preparer = Arc::clone(&loader.preparer);
        let orders = Orders::new(loader.order.clone());
        let (rank, world) = (loader.config.rank as u64, loader.config.world_size as u64);
        let compute = move |number: u64| {
            // There is no number if there is no image.
            let place = from.index + number;
            let (epoch, index) = (from.epoch + place / length, place % length);
            let position = orders.epoch(epoch).at(rank + index * world);
            preparer.prepare(epoch, position)
        };
        let config = &loader.config;
        Ok(Self {
            ahead: Ahead::new(total, config.thread_count(), config.capacity(), compute)?,
            config: Arc::clone(config),
            length,
            position: from,
            had_batch: from.index > 0,
            skipped: Vec::new(),
            counts: SkipCounts::default(),
            ended: false,
        })
    }

    /// How many images were skipped so far.
    pub fn skip_counts(&self) -> &SkipCounts {
        &self.counts
    }

    /// Where the next batch begins.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Fills a batch; `None` at the end of an epoch if nothing is left over for one.
    fn fill(&mut self) -> Result<Option<Batch>, Error> {
        let epoch = self.position.epoch;
        let mut images: Vec<Ready> = Vec::with_capacity(self.config.batch_size.min(1024));
        while images.len() < self.config.batch_size && self.position.index < self.length {
            let Some(prepared) = self.ahead.next() else {
                self.ended = true;
                break;
            };
            self.position.index += 1;
            match prepared? {
                Ok(ready) => images.push(ready),
                Err(skipped) => {
                    self.counts.add(skipped.reason);
                    self.skipped.push(skipped);
                }
            }
        }
        let complete = images.len() == self.config.batch_size;
        let last = self.position.index == self.length;
        if last {
            self.position = Position {
                epoch: epoch + 1,
                index: 0,
            };
        }
        if images.is_empty() || (self.config.drop_last && !complete) {
            return match last && !std::mem::replace(&mut self.had_batch, false) {
                true => Err(self.nothing()),
                false => Ok(None),
            };
        }
        self.had_batch = !last;
        self.join(images, epoch).map(Some)
    }

    fn nothing(&self) -> Error {
        Error::NoExamples {
            skipped: self.counts.total(),
            example: self.skipped.first().map(Skipped::to_string),
        }
    }

    fn join(&mut self, images: Vec<Ready>, epoch: u64) -> Result<Batch, Error> {
        let [_, channels, height, width] = images[0].pixels.shape;
        let mut values = Vec::with_capacity(images.len() * channels * height * width);
        let mut captions =
            Vec::with_capacity(images.iter().map(|image| image.captions.len()).sum());
        let mut examples = Vec::with_capacity(images.len());
        for (number, ready) in images.into_iter().enumerate() {
            let [_, _, found_height, found_width] = ready.pixels.shape;
            if [found_height, found_width] != [height, width] {
                return Err(Error::MixedSizes {
                    first: [height, width],
                    found: [found_height, found_width],
                    image: ready.image,
                });
            }
            values.extend_from_slice(&ready.pixels.values);
            captions.extend(ready.captions.into_iter().map(|caption| BatchCaption {
                image: number,
                language: caption.language,
                text: caption.text,
            }));
            examples.push(ready.position);
        }
        Ok(Batch {
            pixel_values: PixelValues {
                values,
                shape: [examples.len(), channels, height, width],
            },
            captions,
            examples,
            epoch,
            next: self.position,
            skipped: std::mem::take(&mut self.skipped),
        })
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.fill() {
                Ok(Some(batch)) => return Some(Ok(batch)),
                Ok(None) => {}
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// The orders of the epochs that are in use: the one that ends and the one that begins.
struct Orders {
    order: Order,
    recent: Mutex<BTreeMap<u64, Arc<EpochOrder>>>,
}

impl Orders {
    fn new(order: Order) -> Self {
        Self {
            order,
            recent: Mutex::default(),
        }
    }

    fn epoch(&self, epoch: u64) -> Arc<EpochOrder> {
        let mut recent = self
            .recent
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(order) = recent.get(&epoch) {
            return Arc::clone(order);
        }
        let order = Arc::new(self.order.epoch(epoch));
        recent.insert(epoch, Arc::clone(&order));
        while recent.len() > 3 {
            recent.pop_first();
        }
        order
    }
}
