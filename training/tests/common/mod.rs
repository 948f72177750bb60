//! A tiny CLIP + mBART with batches for it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};
use generation::GenerationConfig;
use pretrained::{
    ImageEncoder, Pretrained, PretrainedModel, TextDecoder, VisionEncoderDecoderConfig, Weights,
};
use serde_json::{Value, json};
use training::{
    Batch, BatchSource, BoxError, ModelFiles, Objective, SpecialTokens, Trainer, TrainingConfig,
    parameter_values,
};

pub(crate) type Files = dyn ModelFiles<ImageEncoder, TextDecoder>;

/// All tests of a process share the random numbers of Flex, so only one at a time may draw.
static RANDOM: Mutex<()> = Mutex::new(());

pub(crate) fn alone() -> MutexGuard<'static, ()> {
    RANDOM.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) const TOKENS: SpecialTokens = SpecialTokens {
    decoder_start_token_id: 2,
    pad_token_id: 1,
};

/// A model with fresh weights, on an autodiff device, with changes to the entries of `decoder` and `encoder` in its
/// configuration.
pub(crate) fn pretrained(decoder: &str, encoder: &str) -> Pretrained {
    let options = GenerationConfig {
        decoder_start_token_id: Some(2),
        pad_token_id: Some(1),
        eos_token_id: vec![2],
        ..GenerationConfig::default()
    };
    let json = format!(
        r#"{{"model_type": "vision-encoder-decoder",
            "encoder": {{"model_type": "clip_vision_model", "hidden_size": 24, "intermediate_size": 32,
                "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 16, "patch_size": 8,
                "initializer_factor": 3.0{encoder}}},
            "decoder": {{"model_type": "mbart", "vocab_size": 37, "d_model": 16, "decoder_layers": 2,
                "decoder_attention_heads": 2, "decoder_ffn_dim": 20, "max_position_embeddings": 16,
                "init_std": 0.3, "dropout": 0.0, "scale_embedding": true{decoder}}}}}"#
    );
    let config = VisionEncoderDecoderConfig::from_json(&json).unwrap();
    let device = Device::flex().autodiff();
    device.seed(5);
    let made = Pretrained::from_config(config, options, Weights::Ordinary, &device);
    // Fresh weights are drawn when they are first used.
    parameter_values(&made.model, &training::ByPath as &Files);
    made
}

pub(crate) fn model() -> PretrainedModel {
    pretrained("", "").model
}

pub(crate) fn objective() -> Objective {
    Objective::new(TOKENS)
}

/// Pixels of some images, the same for the same number.
pub(crate) fn pixels(images: usize, number: usize, device: &Device) -> Tensor<4> {
    let value = |n: usize| (((n + 1) * (number + 7) * 2_654_435_761) % 1000) as f32 / 500.0 - 1.0;
    let values: Vec<f32> = (0..images * 3 * 256).map(value).collect();
    Tensor::from_data(TensorData::new(values, [images, 3, 16, 16]), device)
}

/// Texts of different lengths, the same for the same number.
pub(crate) fn labels(rows: usize, number: usize) -> Vec<Vec<u32>> {
    let token = |n: usize| (3 + (n * 7919 + number * 104_729) % 34) as u32;
    (0..rows)
        .map(|row| {
            let length = 2 + (row * 5 + number * 3) % 7;
            let words = (0..length).map(|n| token(row * 31 + n));
            words.chain([2]).collect()
        })
        .collect()
}

/// A batch of three images with a text each.
pub(crate) fn batch(number: usize, device: &Device) -> Batch<Tensor<4>> {
    Batch::one_per_source(pixels(3, number, device), labels(3, number))
}

pub(crate) fn config(max_steps: usize) -> TrainingConfig {
    TrainingConfig {
        learning_rate: 1e-3,
        warmup_steps: 2,
        max_steps: Some(max_steps),
        decoder_start_token_id: Some(2),
        pad_token_id: Some(1),
        ..TrainingConfig::default()
    }
}

/// Values on the host.
pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().unwrap()
}

/// The largest difference, relative to the largest value.
pub(crate) fn apart(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
    let difference = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    difference.fold(0.0_f32, f32::max) / largest.max(1e-30)
}

/// The weights of the model by name.
pub(crate) fn weights(
    trainer: &Trainer<ImageEncoder, TextDecoder>,
    files: &Files,
) -> BTreeMap<String, Vec<f32>> {
    let of_model = parameter_values(trainer.model(), files);
    of_model
        .into_iter()
        .map(|(name, tensor)| (name, values(tensor)))
        .collect()
}

/// Five batches an epoch.
pub(crate) struct Cycle {
    next: usize,
    device: Device,
}

impl Cycle {
    pub(crate) fn new() -> Self {
        Self {
            next: 0,
            device: Device::flex().autodiff(),
        }
    }
}

impl BatchSource for Cycle {
    type Input = Tensor<4>;

    fn next(&mut self) -> Result<Option<Batch<Tensor<4>>>, BoxError> {
        let number = self.next;
        self.next += 1;
        Ok((number % 6 < 5).then(|| batch(number % 6, &self.device)))
    }

    fn position(&self) -> Value {
        json!({ "next": self.next })
    }

    fn restore(&mut self, position: &Value) -> Result<(), BoxError> {
        self.next = position["next"].as_u64().ok_or("no position")? as usize;
        Ok(())
    }
}
