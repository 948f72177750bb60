//! The scale of attention's scores.

mod common;

use burn::tensor::{Device, Tensor};
use common::{difference, filled, waves};
use packed_linear::{AttentionBias, Format};
use transformer_layers::{AttentionConfig, EncoderAttention};

const WIDTH: usize = 32;
const HEADS: usize = 4;

#[test]
fn attention_with_a_bias_has_the_scale_of_attention_without_one() {
    let device = Device::flex();
    for format in [None, Some(Format::F32)] {
        let attended = |scale| {
            let config = AttentionConfig {
                scale,
                ..AttentionConfig::new(WIDTH, HEADS)
            };
            let layer = filled(EncoderAttention::new(&config, format, &device));
            let x: Tensor<3> = waves([2, 5, WIDTH], 0, &device);
            let kinds = Tensor::zeros([1, HEADS, 5, 5], &device);
            let bias = AttentionBias {
                kinds: &kinds,
                of_items: &[0],
            };
            let biased = layer.forward_biased(x.clone(), bias);
            let plain = layer.forward(x.clone(), x.zeros_like());
            assert!(difference(biased.clone(), plain) < 1e-5);
            biased
        };
        assert!(difference(attended(Some(3.0)), attended(None)) > 1e-3);
    }
}
