//! A shortlist gives its tokens the same scores as the whole head.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Distribution, Int, Tensor};
use mbart50_decoder::{Decoder, MBartDecoder, MBartDecoderConfig};

mod common;
use common::{config, decoder};
use model_tests::small::{memory, tokens};

const TOKENS: [u32; 5] = [0, 2, 17, 63, 119];

/// Gives every parameter random values: a fresh bias is zero, which would hide mistakes.
struct Randomly;

impl ModuleMapper for Randomly {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor.random_like(Distribution::Normal(0.0, 0.3)))
    }
}

/// The largest difference between the shortlist's logits and the same columns of all logits.
fn difference(decoder: &MBartDecoder, device: &Device) -> f32 {
    let mut state = decoder.start(memory(2, device).into(), &[0, 0, 1]);
    let hidden = decoder.forward(tokens(3, device), None, &mut state);
    let shortlist = decoder.shortlist(&TOKENS).unwrap();
    assert_eq!(shortlist.tokens(), TOKENS);
    let columns = Tensor::<1, Int>::from_data(TOKENS.map(i64::from), device);
    let expected = decoder.logits(hidden.clone()).select(2, columns);
    let logits = shortlist.logits(hidden);
    assert_eq!(logits.dims(), expected.dims());
    (logits - expected).abs().max().into_scalar::<f32>()
}

#[test]
fn the_tied_head_on_some_tokens_equals_its_columns() {
    let device = Device::flex();
    assert!(difference(&decoder(&device), &device) <= 1e-5);
}

#[test]
fn a_bias_of_the_logits_is_gathered_too() {
    let device = Device::flex();
    let with_bias = decoder(&device).map(&mut Randomly);
    assert!(difference(&with_bias, &device) <= 1e-5);
}

#[test]
fn a_separate_head_is_gathered_instead_of_the_embeddings() {
    let device = Device::flex();
    device.seed(7);
    let config = MBartDecoderConfig {
        tie_word_embeddings: false,
        ..config()
    };
    let separate = config.init(&device).map(&mut Randomly);
    assert!(difference(&separate, &device) <= 1e-5);
}
