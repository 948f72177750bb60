//! Batches of image-text data sets.

use burn::tensor::{Device, Tensor, TensorData};
use datasets::{Batches, Loader, Position, Skipped};
use serde::{Deserialize, Serialize};

use crate::{Batch, BatchSource, BoxError, CaptionEncoder, Classes};

/// The batches of a [`Loader`] for models that take pixel values: captions become tokens by a
/// [`CaptionEncoder`], images with several captions are encoded once.
pub struct CaptionBatches<'a> {
    loader: Loader,
    texts: Texts<'a>,
    device: Device,
    place: Place,
    /// Reads ahead from `place`. Made when it is needed.
    batches: Option<Batches>,
    /// The first batch of the next epoch, read before the end of this one was known.
    pending: Option<datasets::Batch>,
    on_skipped: Box<dyn FnMut(&Skipped) + 'a>,
}

/// What the captions of an image are.
enum Texts<'a> {
    Captions(CaptionEncoder<'a>),
    Labels(&'a Classes),
}

/// Where the next batch is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    position: Position,
    /// The epoch of the last batch, whose end may not have been told.
    epoch: u64,
}

impl<'a> CaptionBatches<'a> {
    /// Batches from the first epoch on, on the device of the model, with labels that the encoder makes.
    pub fn new(loader: Loader, encoder: CaptionEncoder<'a>, device: &Device) -> Self {
        Self::of(loader, Texts::Captions(encoder), device)
    }

    /// Batches for a [`Classifier`](crate::Classifier): the captions of an image are its labels, in their order.
    pub fn of_labels(loader: Loader, classes: &'a Classes, device: &Device) -> Self {
        Self::of(loader, Texts::Labels(classes), device)
    }

    fn of(loader: Loader, texts: Texts<'a>, device: &Device) -> Self {
        Self {
            loader,
            texts,
            device: device.clone(),
            place: Place::default(),
            batches: None,
            pending: None,
            on_skipped: Box::new(|_| {}),
        }
    }

    /// Calls this for every image that can't be used.
    pub fn on_skipped(mut self, on_skipped: impl FnMut(&Skipped) + 'a) -> Self {
        self.on_skipped = Box::new(on_skipped);
        self
    }

    /// The next batch of any epoch.
    fn next_loaded(&mut self) -> Result<Option<datasets::Batch>, BoxError> {
        if let Some(batch) = self.pending.take() {
            return Ok(Some(batch));
        }
        let batches = match &mut self.batches {
            Some(batches) => batches,
            None => {
                let batches = self.loader.batches(self.place.position, u64::MAX)?;
                self.batches.insert(batches)
            }
        };
        let batch = batches.next().transpose()?;
        for skipped in batch.iter().flat_map(|batch| &batch.skipped) {
            (self.on_skipped)(skipped);
        }
        Ok(batch)
    }
}

impl BatchSource for CaptionBatches<'_> {
    /// Pixel values, `[images, channels, height, width]`.
    type Input = Tensor<4>;

    fn next(&mut self) -> Result<Option<Batch<Tensor<4>>>, BoxError> {
        let Some(batch) = self.next_loaded()? else {
            return Ok(None);
        };
        if batch.epoch > self.place.epoch {
            self.place.epoch = batch.epoch;
            self.pending = Some(batch);
            return Ok(None);
        }
        self.place.position = batch.next;
        let batch = match &mut self.texts {
            Texts::Captions(encoder) => caption_batch(batch, encoder, &self.device),
            Texts::Labels(classes) => class_batch(batch, classes, &self.device),
        };
        batch.map(Some)
    }

    fn position(&self) -> serde_json::Value {
        // Numbers can always be serialised.
        serde_json::to_value(self.place).unwrap_or_default()
    }

    fn restore(&mut self, position: &serde_json::Value) -> Result<(), BoxError> {
        self.place = Place::deserialize(position)?;
        self.batches = None;
        self.pending = None;
        Ok(())
    }
}

/// A batch of a [`Loader`] as an objective takes it: pixel values on the device, and labels that the
/// encoder makes.
///
/// # Errors
/// If the tokenizer has no code for a language, captions are in several languages but the tokenizer has codes for none,
/// or a caption can't be split into tokens.
pub fn caption_batch(
    batch: datasets::Batch,
    encoder: &mut CaptionEncoder<'_>,
    device: &Device,
) -> Result<Batch<Tensor<4>>, BoxError> {
    let captions = batch.captions.iter();
    let labels: Result<Vec<_>, _> = captions
        .map(|caption| encoder.encode(&caption.text, caption.language))
        .collect();
    Ok(Batch {
        row_sources: batch.captions.iter().map(|caption| caption.image).collect(),
        labels: labels?,
        input: pixels(batch, device),
    })
}

/// A batch of a [`Loader`] as the objective of a [`Classifier`](crate::Classifier) takes it: the captions of an image
/// are its labels, in their order.
///
/// # Errors
/// If a label is none of the classes, or an image has too many.
pub fn class_batch(
    batch: datasets::Batch,
    classes: &Classes,
    device: &Device,
) -> Result<Batch<Tensor<4>>, BoxError> {
    let (mut row_sources, mut labels) = (Vec::new(), Vec::new());
    for captions in batch.captions.chunk_by(|a, b| a.image == b.image) {
        row_sources.extend(captions.first().map(|caption| caption.image));
        labels.push(classes.encode(captions.iter().map(|caption| caption.text.as_str()))?);
    }
    Ok(Batch {
        row_sources,
        labels,
        input: pixels(batch, device),
    })
}

fn pixels(batch: datasets::Batch, device: &Device) -> Tensor<4> {
    let pixels = batch.pixel_values;
    Tensor::from_data(TensorData::new(pixels.values, pixels.shape), device)
}
