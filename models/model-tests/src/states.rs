use burn::tensor::{Bool, Device, Int, Tensor, TensorData, s};
use vision_encoder_decoder::{Decoder, Memory};

use crate::reference::{Family, Reference, logits, relative_difference};

/// Longer than the cache is at first, so that it grows.
const LENGTH: usize = 21;

/// Tokens that are fed one by one or in pieces get the same logits as a whole text.
pub fn steps_equal_the_whole_text<F: Family>(reference: &Reference) {
    let device = Device::flex();
    let decoder = reference.load::<F>(None, &device);
    let row_sources = [2, 0, 2, 1, 0];
    let tokens = reference.varied(5, LENGTH, &device);
    let mut state = decoder.start(reference.memory(&device), &row_sources);
    let whole = logits(&decoder, tokens.clone(), None, &mut state);
    for chunks in [&[1][..], &[3, 1, 7]] {
        let mut state = decoder.start(reference.memory(&device), &row_sources);
        let mut pieces = Vec::new();
        let mut chunks = chunks.iter().cycle();
        while state.length() < LENGTH {
            let start = state.length();
            let end = (start + chunks.next().unwrap()).min(LENGTH);
            let new = tokens.clone().slice(s![.., start..end]);
            pieces.push(logits(&decoder, new, None, &mut state));
        }
        let difference = relative_difference(Tensor::cat(pieces, 1), whole.clone());
        assert!(difference <= 1e-5, "{difference}");
    }
}

/// Rows that are reordered, repeated and dropped go on as rows with their history.
pub fn selected_rows_keep_their_history<F: Family>(reference: &Reference) {
    let device = Device::flex();
    let decoder = reference.load::<F>(None, &device);
    let tokens = reference.varied(3, 12, &device);
    let part = |range: std::ops::Range<usize>| tokens.clone().slice(s![.., range]);
    let select = |tokens: Tensor<2, Int>, parents: [i64; 2]| {
        tokens.select(0, Tensor::<1, Int>::from_data(parents, &device))
    };
    let mut state = decoder.start(reference.memory(&device), &[0, 1, 2]);
    logits(&decoder, part(0..5), None, &mut state);
    decoder.select_rows(&mut state, &[2, 1]);
    let last = select(part(5..9), [0, 2]);
    let stepped = logits(&decoder, last.clone(), None, &mut state);

    let history = Tensor::cat(vec![select(part(0..5), [2, 1]), last], 1);
    let mut fresh = decoder.start(reference.memory(&device), &[2, 1]);
    let whole = logits(&decoder, history, None, &mut fresh).slice(s![.., 5..9, ..]);
    let difference = relative_difference(stepped, whole);
    assert!(difference <= 1e-5, "{difference}");
}

/// Rows that join others are decoded as in a state of their own.
pub fn joined_rows_are_decoded_as_alone<F: Family>(reference: &Reference) {
    let device = Device::flex();
    let decoder = reference.load::<F>(None, &device);
    let start = |row_sources: &[usize]| decoder.start(reference.memory(&device), row_sources);
    let first = reference.varied(2, 8, &device);
    let second = reference.varied(5, 3, &device).slice(s![2.., ..]);
    let mut alone = [start(&[1, 0]), start(&[2, 2, 0])];
    let expected_first = logits(&decoder, first.clone(), None, &mut alone[0]);
    let expected_second = logits(&decoder, second.clone(), None, &mut alone[1]);

    let mut state = start(&[1, 0]);
    logits(
        &decoder,
        first.clone().slice(s![.., 0..5]),
        None,
        &mut state,
    );
    let joining = start(&[2, 2, 0]);
    assert!(decoder.can_join(&state, &joining));
    decoder.join(&mut state, joining);
    for step in 0..3 {
        let at = |tokens: &Tensor<2, Int>, at: usize| tokens.clone().slice(s![.., at..at + 1]);
        let new = Tensor::cat(vec![at(&first, 5 + step), at(&second, step)], 0);
        let found = logits(&decoder, new, None, &mut state);
        let of = |expected: &Tensor<3>, at: usize| expected.clone().slice(s![.., at..at + 1, ..]);
        let expected = vec![of(&expected_first, 5 + step), of(&expected_second, step)];
        let difference = relative_difference(found, Tensor::cat(expected, 0));
        assert!(difference <= 1e-5, "step {step}: {difference}");
    }
}

/// Padding after a text, and padding of the memory, change nothing.
pub fn padding_is_not_attended_to<F: Family>(reference: &Reference) {
    let device = Device::flex();
    let decoder = reference.load::<F>(None, &device);
    let tokens = reference.varied(2, 8, &device);
    let mask = |seen: [usize; 2], length: usize| {
        let padding = seen.map(|seen| (0..length).map(move |at| at >= seen));
        let padding: Vec<bool> = padding.into_iter().flatten().collect();
        Tensor::<2, Bool>::from_data(TensorData::new(padding, [2, length]), &device)
    };
    let hidden = reference.memory(&device).hidden.slice(s![0..2, .., ..]);
    let [_, positions, _] = hidden.dims();
    let memory = Memory {
        hidden: hidden.clone(),
        padding: Some(mask([positions, 4], positions)),
    };
    let mut state = decoder.start(memory, &[0, 1]);
    let padding = Some(mask([8, 5], 8));
    let padded = logits(&decoder, tokens.clone(), padding, &mut state);

    let short = hidden.slice(s![1..2, 0..4, ..]);
    let mut state = decoder.start(short.into(), &[0]);
    let short = logits(&decoder, tokens.slice(s![1..2, 0..5]), None, &mut state);
    let difference = relative_difference(padded.slice(s![1..2, 0..5, ..]), short);
    assert!(difference <= 1e-5, "{difference}");
}
