//! Blocks of a post-norm model: the input of a block is its residual too.

mod common;

use burn::tensor::{Device, Tensor};
use common::{difference, filled, waves};
use packed_linear::{Activation, Format};
use transformer_layers::{
    AttentionConfig, CrossAttention, DecoderState, EncoderAttention, FeedForwardConfig, RowSources,
    SelfAttention,
};

const WIDTH: usize = 32;
const HEADS: usize = 4;
const ROWS: usize = 3;
const FORMATS: [Option<Format>; 2] = [None, Some(Format::F32)];

/// Checks that a block adds the same to its input as to a residual of zero.
fn assert_adds<const D: usize>(
    x: Tensor<D>,
    mut block: impl FnMut(Tensor<D>, Tensor<D>) -> Tensor<D>,
) {
    let before = x.clone().into_data();
    let added = block(x.clone(), x.zeros_like());
    assert!(added.clone().abs().max().into_scalar::<f32>() > 1e-3);
    let sum = block(x.clone(), x.clone());
    assert!(difference(sum, x.clone() + added) < 1e-5);
    assert_eq!(x.into_data(), before, "the input was overwritten");
}

#[test]
fn the_input_of_encoder_attention_can_be_its_residual() {
    let device = Device::flex();
    for format in FORMATS {
        let config = AttentionConfig::new(WIDTH, HEADS);
        let layer = filled(EncoderAttention::new(&config, format, &device));
        let x = waves([2, 5, WIDTH], 0, &device);
        assert_adds(x, |x, residual| layer.forward(x, residual));
    }
}

#[test]
fn the_input_of_a_decoders_attention_can_be_its_residual() {
    let device = Device::flex();
    for format in FORMATS {
        let config = AttentionConfig::new(WIDTH, HEADS);
        let self_attention = filled(SelfAttention::new(&config, format, &device));
        let cross_attention = filled(CrossAttention::new(&config, format, &device));
        let state = || {
            let memory = waves([2, 5, WIDTH], 9, &device);
            let sources = RowSources::new(vec![1, 0, 1], 2, &device);
            DecoderState::new(vec![cross_attention.start(memory)], sources, None)
        };
        let x: Tensor<2> = waves([ROWS, WIDTH], 0, &device);
        assert_adds(x.clone(), |x, residual| {
            let mut state = state();
            let (pass, layers) = state.advance(1, None);
            self_attention.forward(x, residual, &pass, &mut layers[0])
        });
        assert_adds(x, |x, residual| {
            let mut state = state();
            let (pass, layers) = state.advance(1, None);
            cross_attention.forward(x, residual, &pass, &mut layers[0])
        });
    }
}

#[test]
fn the_input_of_feed_forward_can_be_its_residual() {
    let device = Device::flex();
    for format in FORMATS {
        let config = FeedForwardConfig::new(WIDTH, 64, Activation::Gelu);
        let layer = filled(config.init(format, &device));
        let x: Tensor<2> = waves([ROWS, WIDTH], 0, &device);
        assert_adds(x, |x, residual| layer.forward(x, residual));
    }
}
