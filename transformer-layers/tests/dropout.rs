//! Dropout acts on autodiff devices only, at every place that has a rate.

mod common;

use burn::tensor::{Device, Tensor};
use common::{difference, filled, waves};
use packed_linear::Activation;
use transformer_layers::{
    AttentionConfig, CrossAttention, DecoderState, EncoderAttention, FeedForwardConfig, RowSources,
    SelfAttention,
};

const WIDTH: usize = 32;
const HEADS: usize = 4;
const ROWS: usize = 3;
const RATE: f64 = 0.5;

/// What a block adds to its residual.
type Added = fn(&AttentionConfig, &Device) -> Tensor<2>;

fn encoder_attention(config: &AttentionConfig, device: &Device) -> Tensor<2> {
    let layer = filled(EncoderAttention::new(config, None, device));
    let x = waves([ROWS, 4, WIDTH], 0, device);
    let residual = x.zeros_like();
    layer.forward(x, residual).flatten(0, 1)
}

fn self_attention(config: &AttentionConfig, device: &Device) -> Tensor<2> {
    let layer = filled(SelfAttention::new(config, None, device));
    let mut state = state(device);
    let (pass, layers) = state.advance(4, None);
    let x = waves([ROWS * 4, WIDTH], 0, device);
    let residual = x.zeros_like();
    layer.forward(x, residual, &pass, &mut layers[0])
}

fn cross_attention(config: &AttentionConfig, device: &Device) -> Tensor<2> {
    let layer = filled(CrossAttention::new(config, None, device));
    let memory = waves([2, 5, WIDTH], 9, device);
    let sources = RowSources::new(vec![0, 1, 1], 2, device);
    let mut state = DecoderState::new(vec![layer.start(memory)], sources, None);
    let (pass, layers) = state.advance(1, None);
    let x = waves([ROWS, WIDTH], 0, device);
    let residual = x.zeros_like();
    layer.forward(x, residual, &pass, &mut layers[0])
}

/// A state of one layer.
fn state(device: &Device) -> DecoderState {
    let cross_attention = CrossAttention::new(&AttentionConfig::new(WIDTH, HEADS), None, device);
    let layer = cross_attention.start(Tensor::zeros([1, 5, WIDTH], device));
    DecoderState::new(vec![layer], RowSources::new(vec![0; ROWS], 1, device), None)
}

const ATTENTIONS: [Added; 3] = [encoder_attention, self_attention, cross_attention];

fn devices() -> [(Device, bool); 2] {
    [(Device::flex(), false), (Device::flex().autodiff(), true)]
}

/// Checks that each value was either dropped or scaled by `1 / (1 - RATE)`, and that both happened.
fn assert_dropped(with: Tensor<2>, without: Tensor<2>) {
    let values = |tensor: Tensor<2>| tensor.into_data().try_into_vec::<f32>().unwrap();
    let (with, without) = (values(with), values(without));
    let dropped = with.iter().filter(|value| **value == 0.0).count();
    assert!(dropped > with.len() / 4, "{dropped} of {}", with.len());
    assert!(dropped < with.len() * 3 / 4, "{dropped} of {}", with.len());
    for (with, without) in with.iter().zip(&without) {
        let scaled = without / (1.0 - RATE as f32);
        assert!(
            *with == 0.0 || (with - scaled).abs() < 1e-5,
            "{with} of {without}"
        );
    }
}

#[test]
fn attention_drops_out_after_its_output_projection() {
    for attention in ATTENTIONS {
        for (device, trains) in devices() {
            let config = AttentionConfig::new(WIDTH, HEADS);
            let without = attention(&config, &device);
            let config = AttentionConfig {
                dropout: RATE,
                ..config
            };
            let with = attention(&config, &device);
            match trains {
                true => assert_dropped(with, without),
                false => assert_eq!(difference(with, without), 0.0),
            }
        }
    }
}

#[test]
fn attention_drops_out_its_weights() {
    for attention in ATTENTIONS {
        for (device, trains) in devices() {
            let config = AttentionConfig::new(WIDTH, HEADS);
            let without = attention(&config, &device);
            let config = AttentionConfig {
                attention_dropout: RATE,
                ..config
            };
            let changed = difference(attention(&config, &device), without);
            assert_eq!(changed > 1e-3, trains, "{changed}");
        }
    }
}

#[test]
fn feed_forward_drops_out_after_its_activation_and_after_its_second_layer() {
    for (device, trains) in devices() {
        let plain = FeedForwardConfig::new(WIDTH, 64, Activation::Relu);
        let added = |config: &FeedForwardConfig| {
            let layer = filled(config.init(None, &device));
            let x: Tensor<2> = waves([ROWS, WIDTH], 0, &device);
            let residual = x.zeros_like();
            layer.forward(x, residual)
        };
        let after_activation = FeedForwardConfig {
            activation_dropout: RATE,
            ..plain.clone()
        };
        let changed = difference(added(&after_activation), added(&plain));
        assert_eq!(changed > 1e-3, trains, "{changed}");

        let after_output = FeedForwardConfig {
            dropout: RATE,
            ..plain.clone()
        };
        match trains {
            true => assert_dropped(added(&after_output), added(&plain)),
            false => assert_eq!(difference(added(&after_output), added(&plain)), 0.0),
        }
    }
}
