//! A custom encoder with this workspace's decoder: mBART's decoder attends to a convolutional network, and both are
//! trained.
//!
//! To add an encoder, implement [`Encoder`](vision_encoder_decoder::Encoder) for a Burn module, as `encoder.rs` does.
//! Its one method encodes a batch of images as [`Memory`](vision_encoder_decoder::Memory), a sequence of vectors for
//! each image. [`VisionEncoderDecoder`](vision_encoder_decoder::VisionEncoderDecoder) does everything else: the
//! projection between the two widths, teacher forcing, beam search and scores (`model.rs`).
//!
//! [`Trainer`](training::Trainer) trains it (`train.rs`). Its pictures are shapes that the program draws
//! (`pictures.rs`); for pictures in files, see the crate `datasets`. The tests show that the pictures of a batch do not
//! influence each other, and that token by token the model computes the same logits as in one call for the whole text.
//!
//! ```text
//! cargo run --release -p custom-encoder -- shapes
//! ```

mod encoder;
mod model;
mod pictures;
mod train;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use burn::tensor::Device;
use clap::Parser;
use report::Program;
use training::{ByPath, ModelFiles};

use crate::model::{Model, generation_config, model};
use crate::pictures::{Picture, pixel_values, text};
use crate::train::train;

type Error = Box<dyn std::error::Error>;

/// Train a small captioner of coloured shapes, save it, load it and caption pictures that it has not seen.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Folder to save the model in.
    folder: PathBuf,
    /// Number of updates.
    #[arg(long, value_name = "N", default_value_t = 300)]
    updates: usize,
}

fn main() -> ExitCode {
    report::run(|program, arguments: Arguments| run(program, &arguments).map(|()| 0))
}

fn run(program: &Program, arguments: &Arguments) -> Result<(), Error> {
    let Arguments { folder, updates } = arguments;
    train(program, *updates, folder)?;
    let device = Device::flex();
    let model = load(folder, &device)?;
    // The training stopped long before these.
    let pictures: Vec<Picture> = (0..24).map(|n| Picture::numbered(1_000_003 + n)).collect();
    let mut right = 0;
    for (picture, found) in pictures.iter().zip(captions(&model, &pictures, &device)?) {
        right += usize::from(found == picture.caption());
        program.line(format_args!("{}: {found}", picture.caption()))?;
    }
    program.line(format_args!("{right} of {} are right", pictures.len()))?;
    Ok(())
}

/// Reads the weights that a training has saved.
fn load(folder: &Path, device: &Device) -> Result<Model, Error> {
    let read = ByPath.read(model(device), folder, device);
    read.map_err(|error| error as Error)
}

/// The best caption of each picture.
fn captions(model: &Model, pictures: &[Picture], device: &Device) -> Result<Vec<String>, Error> {
    let results = model.generate(pixel_values(pictures, device), &generation_config())?;
    let texts = results.into_iter().map(|result| {
        let best = result?.into_iter().next();
        Ok(best.map_or_else(String::new, |best| text(&best.tokens)))
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::*;

    #[test]
    fn a_trained_model_captions_pictures_that_it_has_not_seen() {
        let (device, _turn) = seeded_device(4);
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("model");
        let losses = train(&Program::new("test"), 300, &folder).unwrap();
        assert!(losses[299] < 0.1 * losses[0], "{losses:?}");

        let pictures: Vec<Picture> = (5000..5024).map(Picture::numbered).collect();
        let found = captions(&load(&folder, &device).unwrap(), &pictures, &device).unwrap();
        let pairs = pictures.iter().zip(&found);
        let right = pairs.filter(|(picture, found)| picture.caption() == **found);
        assert!(right.count() >= 18, "{found:?}");
    }

    /// A seeded device. All tests of the process share the random numbers of a device, so only one test
    /// at a time may draw.
    pub(crate) fn seeded_device(seed: u64) -> (Device, MutexGuard<'static, ()>) {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let device = Device::flex();
        device.seed(seed);
        (device, turn)
    }
}
