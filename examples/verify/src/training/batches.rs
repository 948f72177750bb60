use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use pretrained::Pretrained;
use training::Batch;

use crate::input::{InputError, Tensors, content};

/// The batches that all cases are trained with.
pub(super) struct Batches {
    /// `[batches, images, channels, height, width]`
    pixels: Vec<f32>,
    /// `[images, channels, height, width]`
    shape: [usize; 4],
    /// `[batches][images]`, padded.
    labels: Vec<Vec<Vec<u32>>>,
    pad_token_id: u32,
}

impl Batches {
    pub(super) fn read(
        folder: &Path,
        start: &Pretrained,
        pad_token_id: u32,
    ) -> Result<Self, InputError> {
        let path: PathBuf = folder.join("batches.safetensors");
        let tensors = Tensors::read(path.clone())?;
        let (pixels, labels) = (tensors.floats("pixel_values")?, tensors.integers("labels")?);
        let [count, images, channels, height, width] = pixels.dims(&path, "pixel_values")?;
        let [label_count, label_images, length] = labels.dims(&path, "labels")?;
        let expected = start.config.encoder.input();
        if [channels, height, width] != expected || count * images == 0 {
            let reason = format!(
                "pixel_values has shape {:?}, expected [batches, images] and {expected:?}",
                pixels.shape
            );
            return Err(content(&path, reason));
        }
        if [label_count, label_images] != [count, images] || length == 0 {
            let reason = format!(
                "labels has shape {:?}, expected [{count}, {images}, length]",
                labels.shape
            );
            return Err(content(&path, reason));
        }
        let token = |token: &i64| {
            u32::try_from(*token).map_err(|_| {
                content(
                    &path,
                    format!("labels has {token}, expected a token of the vocabulary"),
                )
            })
        };
        let rows = labels
            .values
            .chunks(length)
            .map(|row| row.iter().map(token).collect::<Result<Vec<u32>, _>>())
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            pixels: pixels.values,
            shape: [images, channels, height, width],
            labels: rows.chunks(images).map(<[_]>::to_vec).collect(),
            pad_token_id,
        })
    }

    /// The number of batches.
    pub(super) fn count(&self) -> usize {
        self.labels.len()
    }

    /// How many rows of labels, without their padding, end with a token, and how many there are.
    pub(super) fn rows_that_end_with(&self, token: u32) -> (usize, usize) {
        let rows = || self.labels.iter().flatten();
        let last = |row: &&Vec<u32>| {
            let last = row.iter().rev().find(|token| **token != self.pad_token_id);
            last == Some(&token)
        };
        (rows().filter(last).count(), rows().count())
    }

    /// The micro-batches of an update, counted from 0.
    pub(super) fn of_update(
        &self,
        update: usize,
        accumulation: usize,
        device: &Device,
    ) -> Vec<Batch<Tensor<4>>> {
        let first = update * accumulation;
        let elements = self.shape.iter().product::<usize>();
        (first..first + accumulation)
            .map(|batch| {
                let pixels = self.pixels[batch * elements..][..elements].to_vec();
                let pixels = Tensor::from_data(TensorData::new(pixels, self.shape), device);
                Batch::one_per_source(pixels, self.labels[batch].clone())
            })
            .collect()
    }
}
