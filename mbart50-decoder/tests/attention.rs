//! The recorded cross-attention weights are those that the decoder used.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData, s};
use mbart50_decoder::{Decoder, MBartDecoder, Memory};

use transformer_layers::DecoderState;

mod common;
use common::decoder;
use model_tests::small::{LENGTH, POSITIONS, memory, tokens};

/// A state that records from its first token on.
fn recording(
    decoder: &MBartDecoder,
    memory: Tensor<3>,
    padding: Option<Tensor<2, Bool>>,
    row_sources: &[usize],
) -> DecoderState {
    let memory = Memory {
        hidden: memory,
        padding,
    };
    let mut state = decoder.start(memory, row_sources);
    decoder.record_attention(&mut state);
    state
}

/// Every layer's weights, `[layers, rows, tokens, positions]`.
fn recorded(decoder: &MBartDecoder, state: &DecoderState) -> Tensor<4> {
    Tensor::stack(decoder.recorded_attention(state).unwrap(), 0)
}

fn largest_difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    (a - b).abs().max().into_scalar::<f32>()
}

#[test]
fn nothing_is_recorded_without_a_request() {
    let device = Device::flex();
    let decoder = decoder(&device);
    let mut state = decoder.start(memory(1, &device).into(), &[0]);
    decoder.forward(tokens(1, &device), None, &mut state);
    assert!(decoder.recorded_attention(&state).is_none());
    decoder.record_attention(&mut state);
    assert!(
        decoder.recorded_attention(&state).is_none(),
        "no token since"
    );
}

#[test]
fn the_weights_of_a_token_sum_to_one_over_positions() {
    let device = Device::flex();
    let decoder = decoder(&device);
    let mut state = recording(&decoder, memory(2, &device), None, &[0, 1, 1]);
    decoder.forward(tokens(3, &device), None, &mut state);
    let weights = recorded(&decoder, &state);
    assert_eq!(weights.dims(), [3, 3, LENGTH, POSITIONS]);
    assert!(weights.clone().min().into_scalar::<f32>() >= 0.0);
    let sums = weights.sum_dim(3);
    let difference = largest_difference(sums.ones_like(), sums);
    assert!(difference <= 1e-5, "{difference}");
}

#[test]
fn recording_changes_no_hidden_state() {
    let device = Device::flex();
    let decoder = decoder(&device);
    let (memory, tokens) = (memory(3, &device), tokens(5, &device));
    let row_sources = [2, 0, 2, 2, 0];
    let mut plain = decoder.start(memory.clone().into(), &row_sources);
    let mut state = recording(&decoder, memory, None, &row_sources);
    for range in [0..5, 5..6] {
        let new = tokens.clone().slice(s![.., range]);
        let expected = decoder.forward(new.clone(), None, &mut plain);
        let hidden = decoder.forward(new, None, &mut state);
        assert_eq!(hidden.into_data(), expected.into_data());
    }
}

/// Records in pieces, and compares with recording all at once and each row by itself.
fn pieces_equal_the_whole_text(row_sources: &[usize], images: usize, chunks: &[usize]) {
    let device = Device::flex();
    let decoder = decoder(&device);
    let memory = memory(images, &device);
    let tokens = tokens(row_sources.len(), &device);

    let mut state = recording(&decoder, memory.clone(), None, row_sources);
    let mut chunks = chunks.iter().cycle();
    while state.length() < LENGTH {
        let start = state.length();
        let end = (start + chunks.next().unwrap()).min(LENGTH);
        decoder.forward(tokens.clone().slice(s![.., start..end]), None, &mut state);
    }
    let pieces = recorded(&decoder, &state);

    let mut state = recording(&decoder, memory.clone(), None, row_sources);
    decoder.forward(tokens.clone(), None, &mut state);
    let whole = recorded(&decoder, &state);
    let difference = largest_difference(pieces, whole.clone());
    assert!(difference <= 1e-5, "{difference}");

    for (row, image) in row_sources.iter().enumerate() {
        let memory = memory.clone().slice(s![*image..*image + 1, .., ..]);
        let mut state = recording(&decoder, memory, None, &[0]);
        decoder.forward(tokens.clone().slice(s![row..row + 1, ..]), None, &mut state);
        let of_row = whole.clone().slice(s![.., row..row + 1, .., ..]);
        let difference = largest_difference(of_row, recorded(&decoder, &state));
        assert!(difference <= 1e-5, "row {row}: {difference}");
    }
}

#[test]
fn recording_token_by_token_equals_recording_the_whole_text() {
    pieces_equal_the_whole_text(&[0, 0, 0, 1, 1, 1], 2, &[1]);
}

#[test]
fn rows_that_are_not_grouped_by_image_keep_their_own_weights() {
    pieces_equal_the_whole_text(&[2, 0, 2, 2, 0], 3, &[1]);
}

#[test]
fn recording_several_tokens_at_a_time_equals_recording_the_whole_text() {
    pieces_equal_the_whole_text(&[1, 0, 1], 2, &[3, 1, 7]);
}

#[test]
fn selected_rows_keep_their_recorded_weights() {
    let device = Device::flex();
    let decoder = decoder(&device);
    let memory = memory(4, &device);
    let tokens = tokens(4, &device);
    let part = |rows: usize, range: std::ops::Range<usize>| {
        tokens.clone().slice(s![0..rows, range.start..range.end])
    };

    // The first selection repeats and reorders rows; the second drops enough rows to drop images.
    let mut state = recording(&decoder, memory.clone(), None, &[0, 1, 2, 3]);
    decoder.forward(part(4, 0..5), None, &mut state);
    decoder.select_rows(&mut state, &[3, 1, 1, 0]);
    decoder.forward(part(4, 5..9), None, &mut state);
    decoder.select_rows(&mut state, &[2, 0]);
    decoder.forward(part(2, 9..12), None, &mut state);

    let select = |tokens: Tensor<2, Int>, parents: &[i64]| {
        tokens.select(0, Tensor::<1, Int>::from_data(parents, &device))
    };
    let history = [
        select(part(4, 0..5), &[1, 3]),
        select(part(4, 5..9), &[2, 0]),
        part(2, 9..12),
    ];
    let mut fresh = recording(&decoder, memory, None, &[1, 3]);
    decoder.forward(Tensor::cat(history.to_vec(), 1), None, &mut fresh);
    let difference = largest_difference(recorded(&decoder, &state), recorded(&decoder, &fresh));
    assert!(difference <= 1e-5, "{difference}");
}

#[test]
fn recording_can_begin_in_the_middle_and_again() {
    let device = Device::flex();
    let decoder = decoder(&device);
    let memory = memory(1, &device);
    let tokens = tokens(1, &device);
    let mut whole = recording(&decoder, memory.clone(), None, &[0]);
    decoder.forward(tokens.clone(), None, &mut whole);

    let mut state = decoder.start(memory.into(), &[0]);
    for (range, recorded_from) in [(0..4, None), (4..9, Some(4)), (9..12, Some(9))] {
        if recorded_from.is_some() {
            decoder.record_attention(&mut state);
        }
        let end = range.end;
        decoder.forward(tokens.clone().slice(s![.., range]), None, &mut state);
        if let Some(start) = recorded_from {
            let expected = recorded(&decoder, &whole).slice(s![.., .., start..end, ..]);
            let difference = largest_difference(recorded(&decoder, &state), expected);
            assert!(difference <= 1e-5, "{difference}");
        }
    }
}

#[test]
fn padding_of_the_memory_gets_no_weight() {
    let device = Device::flex();
    let decoder = decoder(&device);
    let padding: Vec<bool> = (0..2 * POSITIONS).map(|i| i >= 14).collect(); // the last six of the second
    let padding = Tensor::from_data(TensorData::new(padding, [2, POSITIONS]), &device);
    let mut state = recording(&decoder, memory(2, &device), Some(padding), &[1, 0, 1]);
    decoder.forward(tokens(3, &device), None, &mut state);
    let weights = recorded(&decoder, &state);
    for row in [0, 2] {
        let of_row = weights.clone().slice(s![.., row..row + 1, .., ..]);
        let padded = of_row.clone().slice(s![.., .., .., 4..]);
        assert_eq!(padded.max().into_scalar::<f32>(), 0.0);
        let seen = of_row.slice(s![.., .., .., 0..4]).sum_dim(3);
        assert!(largest_difference(seen.ones_like(), seen) <= 1e-5);
    }
    let unpadded = weights.slice(s![.., 1..2, .., 4..]);
    assert!(unpadded.max().into_scalar::<f32>() > 0.0);
}
