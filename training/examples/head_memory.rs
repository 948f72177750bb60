//! Measures the memory of the head and the loss: `head_memory blocks|one-block|composed [VOCABULARY] [WIDTH] [ROWS] [TOKENS]`.
//!
//! `composed` is what a training that knows nothing of blocks does: all logits, a log-softmax, a gather.

use std::time::Instant;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};
use generation::GenerationConfig;
use pretrained::{Pretrained, VisionEncoderDecoderConfig, Weights};
use training::{Batch, ModuleGradients, Objective, SpecialTokens};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_else(|| "blocks".into());
    let mut number = |default: usize| match arguments.next() {
        Some(text) => text.parse(),
        None => Ok(default),
    };
    let (vocabulary, width) = (number(250_054)?, number(256)?);
    let (rows, tokens) = (number(32)?, number(32)?);
    let json = format!(
        r#"{{"model_type": "vision-encoder-decoder",
            "encoder": {{"model_type": "clip_vision_model", "hidden_size": 64, "intermediate_size": 64,
                "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32, "patch_size": 16}},
            "decoder": {{"model_type": "mbart", "vocab_size": {vocabulary}, "d_model": {width},
                "decoder_layers": 1, "decoder_attention_heads": 4, "decoder_ffn_dim": {width}}}}}"#
    );
    let config = VisionEncoderDecoderConfig::from_json(&json)?;
    let device = Device::flex().autodiff();
    let options = GenerationConfig::default();
    let model = Pretrained::from_config(config, options, Weights::Ordinary, &device).model;
    let pixels = Tensor::<4>::ones([rows, 3, 32, 32], &device);
    let row = |row: u32| (0..tokens as u32).map(move |n| 3 + row * 31 + n);
    let labels: Vec<Vec<u32>> = (0..rows as u32).map(|n| row(n).collect()).collect();
    let mut objective = Objective::new(SpecialTokens {
        decoder_start_token_id: 2,
        pad_token_id: 1,
    });
    if mode == "one-block" {
        objective.logits_block_bytes = usize::MAX;
    }
    let prepared = objective.labels(&model.decoder, &labels)?;
    let positions = prepared.tokens();
    let weight = 1.0 / positions as f64;
    let mut gradients = ModuleGradients::default();
    for _ in 0..2 {
        let start = Instant::now();
        gradients = ModuleGradients::default();
        let loss = if mode == "composed" {
            let sources: Vec<usize> = (0..rows).collect();
            let memory = model.encode(pixels.clone());
            let logits = model.forward_from(memory, &sources, prepared.inputs(&device), None);
            let logits = logits.reshape([positions, vocabulary]);
            let targets: Vec<i64> = labels
                .iter()
                .flatten()
                .map(|token| i64::from(*token))
                .collect();
            let targets = Tensor::<1, Int>::from_data(targets.as_slice(), &device);
            let targets = targets.reshape([positions, 1]);
            let loss = -log_softmax(logits, 1).gather(1, targets).sum() * weight;
            gradients.add(&model, &mut loss.backward());
            loss.inner()
        } else {
            let batch = Batch::one_per_source(pixels.clone(), labels.clone());
            objective.backward(&model, batch, &prepared, weight, &mut gradients)?
        };
        let loss = loss.into_scalar::<f32>();
        println!(
            "{mode}: loss {loss:.4}, {:.2} s",
            start.elapsed().as_secs_f64()
        );
    }
    drop(gradients);
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    let table = vocabulary * width * 4 / (1 << 20);
    let logits = positions * vocabulary * 4 / (1 << 20);
    println!(
        "table {table} MiB, all logits {logits} MiB, {}",
        peak.unwrap_or_default()
    );
    Ok(())
}
