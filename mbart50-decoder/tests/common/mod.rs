//! A small decoder with random weights, and what to feed it.

// Each test program uses some of this.
#![allow(dead_code)]

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use mbart50_decoder::{HiddenAct, MBartDecoder, MBartDecoderConfig};

pub(crate) const WIDTH: usize = 48;
pub(crate) const VOCABULARY: usize = 120;
pub(crate) const LENGTH: usize = 37; // the cache starts with room for 16 and grows twice
pub(crate) const POSITIONS: usize = 10;

pub(crate) fn config() -> MBartDecoderConfig {
    MBartDecoderConfig {
        vocab_size: VOCABULARY,
        d_model: WIDTH,
        decoder_layers: 3,
        decoder_attention_heads: 4,
        decoder_ffn_dim: 80,
        activation_function: HiddenAct::Gelu,
        max_position_embeddings: 64,
        scale_embedding: true,
        init_std: 0.3, // large, so that a wrong key or position shows
        final_logits_bias: true,
        ..MBartDecoderConfig::default()
    }
}

pub(crate) fn decoder(device: &Device) -> MBartDecoder {
    device.seed(7);
    config().init(device)
}

/// `[images, POSITIONS, WIDTH]`
pub(crate) fn memory(images: usize, device: &Device) -> Tensor<3> {
    let shape = [images, POSITIONS, WIDTH];
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// `[rows, LENGTH]`, different in every row.
pub(crate) fn tokens(rows: usize, device: &Device) -> Tensor<2, Int> {
    let ids: Vec<i64> = (0..rows * LENGTH)
        .map(|i| ((i * i + 31 * i) % VOCABULARY) as i64)
        .collect();
    Tensor::from_data(TensorData::new(ids, [rows, LENGTH]), device)
}
