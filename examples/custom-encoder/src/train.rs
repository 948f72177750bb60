use std::path::Path;

use burn::tensor::{Device, Tensor};
use report::Program;
use training::{Batch, ByPath, Trainer, TrainingConfig};

use crate::Error;
use crate::model::model;
use crate::pictures::{END, PADDING, Picture, pixel_values};

/// Pictures of an update.
const BATCH_SIZE: usize = 24;

/// Updates between two lines about the loss.
const LOGGING_STEPS: usize = 25;

/// Trains a fresh model and saves it. Returns the loss of each update.
pub(crate) fn train(program: &Program, updates: usize, folder: &Path) -> Result<Vec<f64>, Error> {
    let device = Device::flex().autodiff();
    let config = TrainingConfig {
        learning_rate: 3e-3,
        warmup_steps: 20,
        max_steps: Some(updates),
        decoder_start_token_id: Some(END), // mBART starts with its end token
        pad_token_id: Some(PADDING),
        ..TrainingConfig::default()
    };
    // `ByPath` names the weights of any module in files.
    let mut trainer = Trainer::new(model(&device), config, &ByPath)?;
    let mut losses = Vec::with_capacity(updates);
    for update in 0..updates {
        let report = trainer.update(vec![batch(update, &device)])?;
        losses.push(report.loss);
        if report.update % LOGGING_STEPS == 0 || report.update == 1 {
            let line = format!("update {}: loss {:.4}", report.update, report.loss);
            program.line(line)?;
        }
    }
    trainer.save(folder, &ByPath, &Default::default())?;
    Ok(losses)
}

/// The pictures and the captions of an update.
fn batch(update: usize, device: &Device) -> Batch<Tensor<4>> {
    let numbers = update * BATCH_SIZE..(update + 1) * BATCH_SIZE;
    let pictures: Vec<Picture> = numbers.map(Picture::numbered).collect();
    Batch {
        input: pixel_values(&pictures, device),
        // Which picture each caption is of.
        row_sources: (0..pictures.len()).collect(),
        labels: pictures.iter().map(Picture::tokens).collect(),
    }
}
