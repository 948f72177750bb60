//! Decoding token by token must give what one call over the whole text gives.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData, s};
use mbart50_decoder::{DecoderState, MBartDecoder};

mod common;
use common::{LENGTH, decoder, memory, tokens};

fn logits(
    decoder: &MBartDecoder,
    tokens: Tensor<2, Int>,
    padding: Option<Tensor<2, Bool>>,
    state: &mut DecoderState,
) -> Tensor<3> {
    decoder.logits(decoder.forward(tokens, padding, state))
}

/// max|a−b| / max|b|
fn relative_difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    let largest = b.clone().abs().max().into_scalar::<f32>();
    (a - b).abs().max().into_scalar::<f32>() / largest
}

fn steps_equal_full(rows: usize, row_images: &[usize], images: usize, chunks: &[usize]) {
    let device = Device::flex();
    let decoder = decoder(&device);
    let memory = memory(images, &device);
    let tokens = tokens(rows, &device);
    let full = logits(
        &decoder,
        tokens.clone(),
        None,
        &mut decoder.begin(memory.clone(), None, row_images),
    );

    let mut state = decoder.begin(memory, None, row_images);
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
fn rows_of_unequally_shared_images_equal_the_whole_text() {
    steps_equal_full(5, &[2, 0, 2, 2, 0], 3, &[1]);
}

#[test]
fn pieces_of_several_tokens_equal_the_whole_text() {
    steps_equal_full(2, &[0, 1], 2, &[3, 1, 7]);
}

#[test]
fn selected_rows_go_on_as_if_they_had_always_been_so() {
    let device = Device::flex();
    let decoder = decoder(&device);
    let memory = memory(4, &device);
    let tokens = tokens(4, &device);
    let until = |end: usize| tokens.clone().slice(s![.., 0..end]);

    // Two selections: one repeats and reorders rows, one drops so many that images are dropped.
    let (first, second) = ([3, 1, 1, 0], [2, 0]);
    let mut state = decoder.begin(memory.clone(), None, &[0, 1, 2, 3]);
    let select = |tokens: Tensor<2, Int>, parents: &[i64]| {
        tokens.select(0, Tensor::<1, Int>::from_data(parents, &device))
    };
    logits(&decoder, until(5), None, &mut state);
    decoder.select_rows(&mut state, &first);
    logits(
        &decoder,
        tokens.clone().slice(s![.., 5..9]),
        None,
        &mut state,
    );
    decoder.select_rows(&mut state, &second);
    let last = select(tokens.clone(), &[0, 1]).slice(s![.., 9..12]);
    let stepped = logits(&decoder, last.clone(), None, &mut state);

    let history = Tensor::cat(
        vec![
            select(select(until(5), &[3, 1, 1, 0]), &[2, 0]),
            select(tokens.clone().slice(s![.., 5..9]), &[2, 0]),
            last,
        ],
        1,
    );
    let mut fresh = decoder.begin(memory, None, &[1, 3]);
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
    let padding = Tensor::<2, Bool>::from_data(
        [
            [false; 8],
            [false, false, false, false, false, true, true, true],
        ],
        &device,
    );

    // All at once, and with the padding arriving in the middle.
    let mut state = decoder.begin(memory.clone(), None, &[0, 0]);
    let at_once = logits(&decoder, tokens.clone(), Some(padding.clone()), &mut state);
    let mut state = decoder.begin(memory.clone(), None, &[0, 0]);
    let pieces =
        [(0, 3, None), (3, 8, Some(padding.slice(s![.., 3..8])))].map(|(a, b, padding)| {
            let new = tokens.clone().slice(s![.., a..b]);
            logits(&decoder, new, padding, &mut state)
        });
    let difference = relative_difference(Tensor::cat(pieces.to_vec(), 1), at_once.clone());
    assert!(difference <= 1e-5, "{difference}");

    let mut alone = decoder.begin(memory, None, &[0]);
    let short = logits(&decoder, tokens.slice(s![1..2, 0..5]), None, &mut alone);
    let difference = relative_difference(at_once.slice(s![1..2, 0..5, ..]), short);
    assert!(difference <= 1e-5, "{difference}");
}

#[test]
fn padded_memory_equals_shorter_memory() {
    let device = Device::flex();
    let decoder = decoder(&device);
    let memory = memory(2, &device);
    let tokens = tokens(2, &device);
    let padding: Vec<bool> = (0..20).map(|i| i >= 14).collect(); // the second image's last six
    let padding = Tensor::from_data(TensorData::new(padding, [2, 10]), &device);
    let mut state = decoder.begin(memory.clone(), Some(padding), &[0, 1]);
    let padded = logits(&decoder, tokens.clone(), None, &mut state);

    let mut state = decoder.begin(memory.slice(s![1..2, 0..4, ..]), None, &[0]);
    let short = logits(&decoder, tokens.slice(s![1..2, ..]), None, &mut state);
    let difference = relative_difference(padded.slice(s![1..2, .., ..]), short);
    assert!(difference <= 1e-5, "{difference}");
}
