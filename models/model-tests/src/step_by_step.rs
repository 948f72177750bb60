//! Decoding token by token, and one call with the whole text.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData, s};
use transformer_layers::DecoderState;
use vision_encoder_decoder::{Decoder, Memory};

use crate::reference::{logits, relative_difference};
use crate::small::{LENGTH, memory, tokens};

/// How a text is fed: its rows, the source of each, the number of sources, and how many tokens at a time.
type Walk = (usize, &'static [usize], usize, &'static [usize]);

const WALKS: [Walk; 4] = [
    (1, &[0], 1, &[1]),
    (6, &[0, 0, 0, 1, 1, 1], 2, &[1]),
    // Different numbers of rows for each source.
    (5, &[2, 0, 2, 2, 0], 3, &[1]),
    // Several tokens at a time.
    (2, &[0, 1], 2, &[3, 1, 7]),
];

/// Tokens that are fed one by one or in pieces get the logits of the whole text.
pub fn every_walk_through_a_text_equals_the_whole_text<D: Decoder<State = DecoderState>>(
    decoder: fn(&Device) -> D,
) {
    for walk in WALKS {
        steps_equal_full(decoder, walk);
    }
}

fn steps_equal_full<D: Decoder<State = DecoderState>>(
    decoder: fn(&Device) -> D,
    (rows, row_sources, sources, chunks): Walk,
) {
    let device = Device::flex();
    let decoder = decoder(&device);
    let memory = memory(sources, &device);
    let tokens = tokens(rows, &device);
    let full = logits(
        &decoder,
        tokens.clone(),
        None,
        &mut decoder.start(memory.clone().into(), row_sources),
    );

    let mut state = decoder.start(memory.into(), row_sources);
    let mut pieces = Vec::new();
    let mut lengths = chunks.iter().cycle();
    while state.length() < LENGTH {
        let start = state.length();
        let end = (start + lengths.next().unwrap()).min(LENGTH);
        let new = tokens.clone().slice(s![.., start..end]);
        pieces.push(logits(&decoder, new, None, &mut state));
    }
    let difference = relative_difference(Tensor::cat(pieces, 1), full);
    assert!(
        difference <= 1e-5,
        "{rows} rows, {chunks:?} at a time: {difference}"
    );
}

/// Rows that are reordered, repeated and dropped go on as rows with their history.
pub fn selected_rows_continue_as_fresh_rows_with_their_history<D: Decoder<State = DecoderState>>(
    decoder: fn(&Device) -> D,
) {
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
    let mut fresh = decoder.start(memory.into(), &[1, 3]);
    let full = logits(&decoder, history, None, &mut fresh).slice(s![.., 9..12, ..]);
    let difference = relative_difference(stepped, full);
    assert!(difference <= 1e-5, "{difference}");
}

/// Padding after a text changes nothing, whether it is fed with the text or later.
pub fn padded_rows_equal_shorter_rows<D: Decoder<State = DecoderState>>(decoder: fn(&Device) -> D) {
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

    // The padding is fed at once with the tokens before it, and in a second call.
    let mut state = decoder.start(memory.clone().into(), &[0, 0]);
    let at_once = logits(&decoder, tokens.clone(), Some(padding.clone()), &mut state);
    let mut state = decoder.start(memory.clone().into(), &[0, 0]);
    let pieces =
        [(0, 3, None), (3, 8, Some(padding.slice(s![.., 3..8])))].map(|(a, b, padding)| {
            let new = tokens.clone().slice(s![.., a..b]);
            logits(&decoder, new, padding, &mut state)
        });
    let difference = relative_difference(Tensor::cat(pieces.to_vec(), 1), at_once.clone());
    assert!(difference <= 1e-5, "{difference}");

    let mut alone = decoder.start(memory.into(), &[0]);
    let short = logits(&decoder, tokens.slice(s![1..2, 0..5]), None, &mut alone);
    let difference = relative_difference(at_once.slice(s![1..2, 0..5, ..]), short);
    assert!(difference <= 1e-5, "{difference}");
}

/// Nothing attends to padding of the memory.
pub fn padded_memory_equals_shorter_memory<D: Decoder<State = DecoderState>>(
    decoder: fn(&Device) -> D,
) {
    let device = Device::flex();
    let decoder = decoder(&device);
    let memory = memory(2, &device);
    let tokens = tokens(2, &device);
    let padding: Vec<bool> = (0..20).map(|i| i >= 14).collect(); // the last six of the second source
    let padding = Tensor::from_data(TensorData::new(padding, [2, 10]), &device);
    let padded_memory = Memory {
        hidden: memory.clone(),
        padding: Some(padding),
    };
    let mut state = decoder.start(padded_memory, &[0, 1]);
    let padded = logits(&decoder, tokens.clone(), None, &mut state);

    let mut state = decoder.start(memory.slice(s![1..2, 0..4, ..]).into(), &[0]);
    let short = logits(&decoder, tokens.slice(s![1..2, ..]), None, &mut state);
    let difference = relative_difference(padded.slice(s![1..2, .., ..]), short);
    assert!(difference <= 1e-5, "{difference}");
}
