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
    /// How many of this device's images of the epoch were used or skipped. After the same batch it is the same on all
    /// devices.
    pub index: u64,
}

/// Skipped images that are named; a folder that has vanished would fill the memory with them.
const MAX_SKIPPED: usize = 1000;

/// Images and their captions.
#[derive(Clone, Debug)]
pub struct Batch {
    /// `[images, 3, height, width]`, as the image processor makes them; `[0, 3, 0, 0]` if there is no image, which happens
    /// only with several devices.
    pub pixel_values: PixelValues,
    /// The captions of all images, image by image.
    pub captions: Vec<BatchCaption>,
    /// The positions of the images in the data set.
    pub examples: Vec<u64>,
    /// The epoch that the images are of.
    pub epoch: u64,
    /// Where to go on after this batch.
    pub next: Position,
    /// What was passed over since the last batch because it can't be used: the first thousand of it, while
    /// [`Batches::skip_counts`] counts all.
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
    ahead: Ahead<Result<Option<Prepared>, Error>>,
    config: Arc<LoaderConfig>,
    /// Images of a whole epoch on this device.
    length: u64,
    position: Position,
    /// Whether the epoch has had a batch with images, or was not begun at its beginning.
    had_images: bool,
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
        let images = preparer.dataset.len();
        let compute = move |number: u64| {
            // There is no number if there is no image.
            let place = from.index + number;
            let (epoch, index) = (from.epoch + place / length, place % length);
            // Others have one image more.
            let place = Some(rank + index * world).filter(|place| *place < images);
            let Some(place) = place else {
                return Ok(None);
            };
            let position = orders.epoch(epoch).at(place);
            preparer.prepare(epoch, position).map(Some)
        };
        let config = &loader.config;
        Ok(Self {
            ahead: Ahead::new(total, config.thread_count(), config.capacity(), compute)?,
            config: Arc::clone(config),
            length,
            position: from,
            had_images: from.index > 0,
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
        let size = self.config.batch_size;
        // With several devices, the places of a batch are counted and not its images.
        let replaces = self.config.world_size == 1;
        let mut images: Vec<Ready> = Vec::with_capacity(size.min(1024));
        let mut places = 0;
        while places < size && self.position.index < self.length {
            let Some(prepared) = self.ahead.next() else {
                self.ended = true;
                break;
            };
            self.position.index += 1;
            places += usize::from(!replaces);
            match prepared? {
                Some(Ok(ready)) => {
                    images.push(ready);
                    places += usize::from(replaces);
                }
                Some(Err(skipped)) => {
                    self.counts.add(skipped.reason);
                    if self.skipped.len() < MAX_SKIPPED {
                        self.skipped.push(skipped);
                    }
                }
                None => {}
            }
        }
        let last = self.position.index == self.length;
        if last {
            self.position = Position {
                epoch: epoch + 1,
                index: 0,
            };
        }
        let is_batch = places > 0 && (places == size || !self.config.drop_last);
        self.had_images |= is_batch && !images.is_empty();
        if last && !std::mem::take(&mut self.had_images) {
            return Err(self.nothing());
        }
        match is_batch {
            true => self.join(images, epoch).map(Some),
            false => Ok(None),
        }
    }

    fn nothing(&self) -> Error {
        Error::NoExamples {
            skipped: self.counts.total(),
            example: self.skipped.first().map(Skipped::to_string),
        }
    }

    fn join(&mut self, images: Vec<Ready>, epoch: u64) -> Result<Batch, Error> {
        let shape = images.first().map(|first| first.pixels.shape);
        let [_, channels, height, width] = shape.unwrap_or([0, 3, 0, 0]);
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
