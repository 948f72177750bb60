use burn::tensor::{Device, Tensor, s};
use transformer_layers::DecoderState;
use vision_encoder_decoder::Decoder;

use crate::reference::{Family, Reference};

const LENGTH: usize = 7;

/// Every layer's weights, `[layers, rows, tokens, positions]`.
fn recorded<D: Decoder<State = DecoderState>>(decoder: &D, state: &DecoderState) -> Tensor<4> {
    Tensor::stack(decoder.recorded_attention(state).unwrap(), 0)
}

/// Recorded cross-attention weights are not negative and sum to 1 over positions.
pub fn recorded_weights_sum_to_one<F: Family>(reference: &Reference) {
    let device = Device::flex();
    let decoder = reference.load::<F>(None, &device);
    let mut state = decoder.start(reference.memory(&device), &[0, 1, 1]);
    decoder.record_attention(&mut state);
    decoder.forward(reference.varied(3, LENGTH, &device), None, &mut state);
    let weights = recorded(&decoder, &state);
    let [_, rows, tokens, positions] = weights.dims();
    assert_eq!(
        [rows, tokens, positions],
        [3, LENGTH, reference.memory.shape()[1]]
    );
    assert!(weights.clone().min().into_scalar::<f32>() >= 0.0);
    let difference = (weights.sum_dim(3) - 1.0).abs().max().into_scalar::<f32>();
    assert!(difference <= 1e-5, "{difference}");
}

/// Recording changes nothing, and token by token it gives the same as at once.
pub fn recording_by_token_equals_recording_at_once<F: Family>(reference: &Reference) {
    let device = Device::flex();
    let decoder = reference.load::<F>(None, &device);
    let tokens = reference.varied(3, LENGTH, &device);
    let start = || {
        let mut state = decoder.start(reference.memory(&device), &[2, 0, 2]);
        decoder.record_attention(&mut state);
        state
    };
    let mut whole = start();
    let hidden = decoder.forward(tokens.clone(), None, &mut whole);
    let mut plain = decoder.start(reference.memory(&device), &[2, 0, 2]);
    let without = decoder.forward(tokens.clone(), None, &mut plain);
    let difference = (hidden - without).abs().max().into_scalar::<f32>();
    assert!(difference <= 1e-4, "{difference}");

    let mut state = start();
    for at in 0..LENGTH {
        decoder.forward(tokens.clone().slice(s![.., at..at + 1]), None, &mut state);
    }
    let difference = recorded(&decoder, &state) - recorded(&decoder, &whole);
    let difference = difference.abs().max().into_scalar::<f32>();
    assert!(difference <= 1e-5, "{difference}");
}
