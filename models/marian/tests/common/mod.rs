//! A small model with random weights.

// Each test program uses some of this.
#![allow(dead_code)]

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Bool, Device, Distribution, Tensor, TensorData};
use marian::{ActivationFunction, Marian, MarianConfig, MarianDecoder};
use model_tests::small::{VOCABULARY, WIDTH};

pub(crate) fn config() -> MarianConfig {
    MarianConfig {
        vocab_size: VOCABULARY,
        d_model: WIDTH,
        encoder_layers: 2,
        encoder_attention_heads: 6,
        encoder_ffn_dim: 56,
        decoder_layers: 3,
        decoder_attention_heads: 4,
        decoder_ffn_dim: 80,
        activation_function: ActivationFunction::Swish,
        max_position_embeddings: 64,
        scale_embedding: true,
        init_std: 0.15, // large, so that a wrong key or position shows
        ..MarianConfig::default()
    }
}

pub(crate) fn model(device: &Device) -> Marian {
    device.seed(7);
    config().init(device)
}

pub(crate) fn decoder(device: &Device) -> MarianDecoder {
    model(device).decoder
}

/// Gives every parameter random values: a fresh bias is zero, which would hide mistakes.
pub(crate) fn randomly(model: Marian) -> Marian {
    struct Randomly;
    impl ModuleMapper for Randomly {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| tensor.random_like(Distribution::Normal(0.0, 0.3)))
        }
    }
    let mut model = model.map(&mut Randomly);
    model.encoder.share_embeddings(&model.decoder);
    model
}

/// The padding of texts of these lengths, `[texts, longest]`.
pub(crate) fn padding(lengths: &[usize], longest: usize, device: &Device) -> Tensor<2, Bool> {
    let hidden = lengths
        .iter()
        .flat_map(|length| (0..longest).map(move |position| position >= *length));
    let hidden: Vec<bool> = hidden.collect();
    Tensor::from_data(TensorData::new(hidden, [lengths.len(), longest]), device)
}

pub(crate) fn largest_difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    (a - b).abs().max().into_scalar::<f32>()
}
