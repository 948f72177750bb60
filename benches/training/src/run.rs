use std::time::Duration;

use benches::{median, peak_rss_bytes, random_pixels};
use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData};
use clip_vision::ClipVisionConfig;
use generation::GenerationConfig;
use mbart50_decoder::MBartDecoderConfig;
use pretrained::{Pretrained, VisionEncoderDecoderConfig, Weights};
use serde_json::{Value, json};

use crate::TrainingError;
use crate::arguments::{Arguments, TrainingSize};
use crate::update::{Batch, optimiser, update};

/// Updates before those that are measured: they allocate memory that the others use again.
const WARM_UP: usize = 2;

/// Creates a model, trains it and measures the updates.
pub(crate) fn run(arguments: &Arguments) -> Result<Value, TrainingError> {
    let device = device::device(&arguments.device)?.autodiff();
    let (config, [images, tokens]) = size(arguments.size);
    let vocabulary = config.decoder.vocab_size();
    device.seed(1);
    let generation = GenerationConfig::default();
    let pretrained = Pretrained::from_config(config, generation, Weights::Ordinary, &device);
    let pixels = random_pixels(&pretrained, images, &device);
    let ids = random_ids(images * (tokens + 1), vocabulary);
    let columns = |first: usize| {
        let rows = ids.chunks_exact(tokens + 1);
        let ids: Vec<i64> = rows
            .flat_map(|row| &row[first..][..tokens])
            .copied()
            .collect();
        Tensor::<2, Int>::from_data(TensorData::new(ids, [images, tokens]), &device)
    };
    let batch = Batch {
        pixels,
        inputs: columns(0),
        labels: columns(1),
    };
    let mut model = pretrained.model;
    let parameters = model.num_params();
    let mut optimiser = optimiser(&model);
    let mut updates = Vec::new();
    let mut losses = Vec::new();
    for index in 0..WARM_UP + arguments.updates.get() {
        let (updated, times) = update(model, &batch, &mut optimiser);
        model = updated;
        losses.push(times.loss);
        if index >= WARM_UP {
            updates.push(times);
        }
    }
    let part = |of: fn(&crate::update::Update) -> Duration| {
        median(updates.iter().map(|update| of(update).as_secs_f64()))
    };
    let update_s = part(|update| update.forward + update.backward + update.optimiser);
    Ok(json!({
        "device": arguments.device,
        "threads": rayon::current_num_threads(),
        "parameters": parameters,
        "images": images,
        "tokens": tokens,
        "forward_s": part(|update| update.forward),
        "backward_s": part(|update| update.backward),
        "optimiser_s": part(|update| update.optimiser),
        "update_s": update_s,
        "images_per_s": images as f64 / update_s,
        "first_loss": losses.first(),
        "last_loss": losses.last(),
        "peak_rss_bytes": peak_rss_bytes(),
    }))
}

/// The configuration of a model, the images of a batch and the tokens of each.
fn size(size: TrainingSize) -> (VisionEncoderDecoderConfig, [usize; 2]) {
    let (width, encoder_layers, decoder_layers, heads, batch) = match size {
        TrainingSize::Pictograms => (192, 5, 3, 6, [64, 12]),
        TrainingSize::Medium => (512, 4, 4, 8, [32, 16]),
    };
    let encoder = ClipVisionConfig {
        hidden_size: width,
        intermediate_size: 4 * width,
        num_hidden_layers: encoder_layers,
        num_attention_heads: heads,
        image_size: 96,
        patch_size: 16,
        ..ClipVisionConfig::vit_b_32()
    };
    let decoder = MBartDecoderConfig {
        vocab_size: 1654,
        d_model: width,
        decoder_layers,
        decoder_attention_heads: heads,
        decoder_ffn_dim: 4 * width,
        max_position_embeddings: 64,
        dropout: 0.0,
        ..MBartDecoderConfig::mbart_large_50()
    };
    (VisionEncoderDecoderConfig::new(encoder, decoder), batch)
}

/// Tokens that are no special ones.
fn random_ids(count: usize, vocabulary: usize) -> Vec<i64> {
    let mut state = 1u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        4 + (state >> 33) as i64 % (vocabulary as i64 - 4)
    };
    (0..count).map(|_| next()).collect()
}
