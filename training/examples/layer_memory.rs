//! Measures what layers keep for the backward pass: `layer_memory none|blocks|burn [LAYERS] [WIDTH] [IMAGES] [TOKENS]`.
//!
//! `blocks` is `gradient_checkpointing`; `burn` is Burn's own, of its operations. Each image has four texts.

use std::time::Instant;

use burn::tensor::{Device, Tensor};
use generation::GenerationConfig;
use pretrained::{Pretrained, VisionEncoderDecoderConfig, Weights};
use training::{Batch, PretrainedFiles, Trainer, TrainingConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_else(|| "none".into());
    let mut number = |default: usize| match arguments.next() {
        Some(text) => text.parse(),
        None => Ok(default),
    };
    let (layers, width) = (number(12)?, number(256)?);
    let (images, tokens) = (number(16)?, number(32)?);
    let (heads, inner) = (width / 64, 4 * width);
    let json = format!(
        r#"{{"model_type": "vision-encoder-decoder",
            "encoder": {{"model_type": "clip_vision_model", "hidden_size": {width}, "intermediate_size": {inner},
                "num_hidden_layers": {layers}, "num_attention_heads": {heads}}},
            "decoder": {{"model_type": "mbart", "vocab_size": 1000, "d_model": {width}, "dropout": 0.0,
                "decoder_layers": {layers}, "decoder_attention_heads": {heads}, "decoder_ffn_dim": {inner}}}}}"#
    );
    let config = VisionEncoderDecoderConfig::from_json(&json)?;
    let device = match mode.as_str() {
        "burn" => Device::flex().autodiff().gradient_checkpointing(),
        _ => Device::flex().autodiff(),
    };
    let options = GenerationConfig::default();
    let made = Pretrained::from_config(config, options, Weights::Ordinary, &device);
    let config = TrainingConfig {
        gradient_checkpointing: mode == "blocks",
        max_steps: Some(100),
        decoder_start_token_id: Some(2),
        pad_token_id: Some(1),
        ..TrainingConfig::default()
    };
    let mut trainer = Trainer::new(
        made.model.clone(),
        config,
        &PretrainedFiles::new(&made, None),
    )?;
    let peak = || -> Result<String, std::io::Error> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let line = status.lines().find(|line| line.starts_with("VmHWM"));
        Ok(line.unwrap_or_default().to_owned())
    };
    println!("{mode}: before the first update {}", peak()?);
    let row = |row: u32| (0..tokens as u32).map(move |n| 3 + (row * 31 + n * 7) % 997);
    for _ in 0..4 {
        let batch = Batch {
            input: Tensor::<4>::ones([images, 3, 224, 224], &device),
            row_sources: (0..4 * images).map(|row| row / 4).collect(),
            labels: (0..4 * images as u32).map(|n| row(n).collect()).collect(),
        };
        let start = Instant::now();
        let report = trainer.update(vec![batch])?;
        println!(
            "{mode}: loss {:.6}, norm {:.6}, {:.2} s",
            report.loss,
            report.grad_norm,
            start.elapsed().as_secs_f64()
        );
    }
    println!("{mode}: {}", peak()?);
    Ok(())
}
