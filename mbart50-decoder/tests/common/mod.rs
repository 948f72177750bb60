//! A small decoder with random weights.

// Each test program uses some of this.
#![allow(dead_code)]

use burn::tensor::Device;
use mbart50_decoder::{HiddenAct, MBartDecoder, MBartDecoderConfig};
use model_tests::small::{VOCABULARY, WIDTH};

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
