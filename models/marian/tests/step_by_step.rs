//! Decoding token by token gives the same logits as one call with the whole text.

use burn::tensor::{Bool, Device, Int, Tensor, s};
use marian::{Decoder, MarianDecoder, Memory};
use transformer_layers::DecoderState;

mod common;
use common::{LENGTH, POSITIONS, decoder, memory, padding, relative_difference, tokens};

fn logits(
    decoder: &MarianDecoder,
    tokens: Tensor<2, Int>,
    padding: Option<Tensor<2, Bool>>,
    state: &mut DecoderState,
) -> Tensor<3> {
    decoder.logits(decoder.forward(tokens, padding, state))
}

fn steps_equal_full(rows: usize, row_sources: &[usize], texts: usize, chunks: &[usize]) {
    let device = Device::flex();
    let decoder = decoder(&device);
    let memory = memory(texts, &device);
    let tokens = tokens(rows, &device);
    let full = logits(
        &decoder,
        tokens.clone(),
        None,
        &mut decoder.start(memory.clone().into(), row_sources),
    );

    let mut state = decoder.start(memory.into(), row_sources);
    let mut pieces = Vec::new();
    let mut chunks = chunks.iter().cycle();
    while state.length() < LENGTH {
        let start = state.length();
        let end = (start + chunks.next().unwrap()).min(LENGTH);
        let new = tokens.clone().slice(s![.., start..end]);
        pieces.push(logits(&decoder, new, None, &mut state));
    }
    let difference = relative_difference(Tensor::cat(pieces, 1), full);
    assert!(difference <= 1e-5, "{difference}");
}

#[test]
fn one_row_token_by_token_equals_the_whole_text() {
    steps_equal_full(1, &[0], 1, &[1]);
}

#[test]
fn several_rows_token_by_token_equal_the_whole_text() {
    steps_equal_full(6, &[0, 0, 0, 1, 1, 1], 2, &[1]);
}

#[test]
fn texts_with_different_numbers_of_rows_equal_the_whole_text() {
    steps_equal_full(5, &[2, 0, 2, 2, 0], 3, &[1]);
}

#[test]
fn pieces_of_several_tokens_equal_the_whole_text() {
    steps_equal_full(2, &[0, 1], 2, &[3, 1, 7]);
}

#[test]
fn selected_rows_continue_as_fresh_rows_with_their_history() {
    let device = Device::flex();
    let decoder = decoder(&device);
    let memory = memory(4, &device);
    let tokens = tokens(4, &device);
    let until = |end: usize| tokens.clone().slice(s![.., 0..end]);

    // The first selection repeats and reorders rows; the second drops enough rows to drop sources.
    let (first, second) = ([3, 1, 1, 0], [2, 0]);
    let mut state = decoder.start(memory.clone().into(), &[0, 1, 2, 3]);
    let select = |tokens: Tensor<2, Int>, parents: &[i64]| {
        tokens.select(0, Tensor::<1, Int>::from_data(parents, &device))
    };
    logits(&decoder, until(5), None, &mut state);
    decoder.select_rows(&mut state, &first);
    let middle = tokens.clone().slice(s![.., 5..9]);
    logits(&decoder, middle.clone(), None, &mut state);
    decoder.select_rows(&mut state, &second);
    let last = select(tokens.clone(), &[0, 1]).slice(s![.., 9..12]);
    let stepped = logits(&decoder, last.clone(), None, &mut state);

    let history = Tensor::cat(
        vec![
            select(select(until(5), &[3, 1, 1, 0]), &[2, 0]),
            select(middle, &[2, 0]),
            last,
        ],
        1,
    );
    let mut fresh = decoder.start(memory.into(), &[1, 3]);
    let full = logits(&decoder, history, None, &mut fresh).slice(s![.., 9..12, ..]);
    let difference = relative_difference(stepped, full);
    assert!(difference <= 1e-5, "{difference}");
}

#[test]
fn padded_rows_equal_shorter_rows() {
    let device = Device::flex();
    let decoder = decoder(&device);
    let memory = memory(1, &device);
    let tokens = tokens(2, &device).slice(s![.., 0..8]);
    let padding = padding(&[8, 5], 8, &device);
    let mut state = decoder.start(memory.clone().into(), &[0, 0]);
    let padded = logits(&decoder, tokens.clone(), Some(padding), &mut state);
    let mut alone = decoder.start(memory.into(), &[0]);
    let short = logits(&decoder, tokens.slice(s![1..2, 0..5]), None, &mut alone);
    let difference = relative_difference(padded.slice(s![1..2, 0..5, ..]), short);
    assert!(difference <= 1e-5, "{difference}");
}

#[test]
fn padded_memory_equals_shorter_memory() {
    let device = Device::flex();
    let decoder = decoder(&device);
    let memory = memory(2, &device);
    let tokens = tokens(2, &device);
    let padded_memory = Memory {
        hidden: memory.clone(),
        padding: Some(padding(&[POSITIONS, 4], POSITIONS, &device)),
    };
    let mut state = decoder.start(padded_memory, &[0, 1]);
    let padded = logits(&decoder, tokens.clone(), None, &mut state);

    let mut state = decoder.start(memory.slice(s![1..2, 0..4, ..]).into(), &[0]);
    let short = logits(&decoder, tokens.slice(s![1..2, ..]), None, &mut state);
    let difference = relative_difference(padded.slice(s![1..2, .., ..]), short);
    assert!(difference <= 1e-5, "{difference}");
}
