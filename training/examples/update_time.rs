//! Measures an update of a checkpoint: `update_time FOLDER [IMAGES] [TOKENS] [REPEATS]`.
//!
//! Prints the time of the forward pass, of the backward pass and of the optimiser, as the shortest of all
//! repeats, since other work on the machine only adds to them.

use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use pretrained::{LoadOptions, Pretrained, PretrainedModel, Weights};
use training::{
    Batch, ModuleGradients, Objective, PretrainedFiles, SpecialTokens, Trainer, TrainingConfig,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("expected the folder of a checkpoint")?;
    let mut number = |default: usize| match arguments.next() {
        Some(text) => text.parse(),
        None => Ok(default),
    };
    let (images, tokens, repeats) = (number(64)?, number(12)?, number(10)?);

    let device = Device::flex().autodiff();
    let options = LoadOptions {
        weights: Weights::Ordinary,
        ..LoadOptions::default()
    };
    let pretrained = Pretrained::from_folder(&folder, &options, &device)?;
    let [channels, height, width] = pretrained.config.encoder.input();
    let vocabulary = pretrained.config.decoder.vocab_size() as u32;
    let shape = [images, channels, height, width];
    let pixels: Vec<f32> = (0..shape.iter().product())
        .map(|n: usize| (n * 2_654_435_761 % 1000) as f32 / 500.0 - 1.0)
        .collect();
    let pixels = Tensor::<4>::from_data(TensorData::new(pixels, shape), &device);
    let row = |row: u32| (0..tokens as u32).map(move |n| 3 + (row * 31 + n * 7) % (vocabulary - 3));
    let labels: Vec<Vec<u32>> = (0..images as u32).map(|n| row(n).collect()).collect();
    let batch = || Batch::one_per_source(pixels.clone(), labels.clone());

    let config = TrainingConfig {
        max_steps: Some(1000),
        warmup_steps: 10,
        decoder_start_token_id: Some(2),
        pad_token_id: Some(1),
        ..TrainingConfig::default()
    };
    let objective = Objective::new(SpecialTokens {
        decoder_start_token_id: 2,
        pad_token_id: 1,
    });
    let files = PretrainedFiles::new(&pretrained, None);
    let mut trainer = Trainer::new(pretrained.model.clone(), config, &files)?;
    let prepared = objective.labels(&trainer.model().decoder, &labels)?;
    let sources: Vec<usize> = (0..images).collect();
    let (mut forward, mut both, mut update) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..=repeats {
        let model: &PretrainedModel = trainer.model();
        let start = Instant::now();
        let memory = model.encode(pixels.clone());
        let inputs = prepared.inputs(&device);
        drop(model.forward_from(memory, &sources, inputs, prepared.padding(&device)));
        forward.push(start.elapsed().as_secs_f64());

        let start = Instant::now();
        let mut gradients = ModuleGradients::default();
        drop(objective.backward(model, batch(), &prepared, 1.0, &mut gradients)?);
        both.push(start.elapsed().as_secs_f64());
        drop(gradients);

        let start = Instant::now();
        trainer.update(vec![batch()])?;
        update.push(start.elapsed().as_secs_f64());
    }
    let shortest = |times: Vec<f64>| times.into_iter().fold(f64::INFINITY, f64::min);
    let (forward, both, update) = (shortest(forward), shortest(both), shortest(update));
    println!(
        "{images} images × {tokens} tokens: forward with logits {forward:.3} s, loss and backward {:.3} s, \
         norm, optimiser and transfer {:.3} s; update {update:.3} s, {:.1} images/s",
        both - forward,
        update - both,
        images as f64 / update
    );
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find(|line| line.starts_with("VmHWM"));
        println!("{}", peak.unwrap_or_default());
    }
    Ok(())
}
