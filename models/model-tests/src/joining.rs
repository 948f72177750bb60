//! Rows that join a state, whatever their lengths, memories and selections.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData, s};
use transformer_layers::DecoderState;
use vision_encoder_decoder::{Decoder, Memory};

use crate::small::{POSITIONS, VOCABULARY, memory};

/// Some rows: what they attend to, the step at which they join, and their tokens' seed.
struct Rows {
    memory: Memory,
    row_sources: Vec<usize>,
    begin: usize,
    /// Which rows go on before each of the following steps.
    parents: Vec<Vec<usize>>,
}

fn scattered(memory: Tensor<3>, row_sources: &[usize], begin: usize, parents: &[&[usize]]) -> Rows {
    Rows {
        memory: memory.into(),
        row_sources: row_sources.to_vec(),
        begin,
        parents: parents.iter().map(|rows| rows.to_vec()).collect(),
    }
}

/// Three groups of rows that begin, are reordered and end at different steps.
fn groups(device: &Device) -> Vec<Rows> {
    let padding = |ignored: [usize; 2]| {
        let hidden = ignored.map(|count| (0..POSITIONS).map(move |at| at + count >= POSITIONS));
        let hidden: Vec<bool> = hidden.into_iter().flatten().collect();
        Tensor::<2, Bool>::from_data(TensorData::new(hidden, [2, POSITIONS]), device)
    };
    let shorter = memory(1, device).slice(s![.., 0..POSITIONS - 4, ..]);
    let mut padded = scattered(
        memory(2, device),
        &[1, 0, 1],
        3,
        &[&[2, 0, 0], &[0, 1, 2], &[1, 1]],
    );
    padded.memory.padding = Some(padding([2, 5]));
    vec![
        scattered(
            memory(3, device),
            &[0, 0, 1, 2],
            0,
            &[&[1, 0, 3, 3], &[0, 2, 3], &[0, 1, 2], &[2, 1, 0], &[0]],
        ),
        scattered(shorter, &[0, 0], 1, &[&[1, 1]]),
        padded,
    ]
}

/// The tokens of step `step` of the rows of group `group`.
fn tokens(group: usize, step: usize, rows: usize, device: &Device) -> Tensor<2, Int> {
    let id = |row: usize| (group * 41 + step * 17 + row * 5 + 3) % VOCABULARY;
    let ids: Vec<i64> = (0..rows).map(|row| id(row) as i64).collect();
    Tensor::from_data(TensorData::new(ids, [rows, 1]), device)
}

/// The hidden states of each step of a group.
fn alone<D: Decoder<State = DecoderState>>(
    decoder: &D,
    group: usize,
    rows: &Rows,
    device: &Device,
) -> Vec<Tensor<3>> {
    let mut state = decoder.start(rows.memory.clone(), &rows.row_sources);
    let mut hidden = Vec::new();
    for step in 0..=rows.parents.len() {
        let tokens = tokens(group, step, state.rows(), device);
        hidden.push(decoder.forward(tokens, None, &mut state));
        if let Some(parents) = rows.parents.get(step) {
            decoder.select_rows(&mut state, parents);
        }
    }
    hidden
}

/// Three groups that begin, are reordered and end at different steps are decoded as each by itself.
pub fn joined_rows_are_decoded_as_in_a_state_of_their_own<D: Decoder<State = DecoderState>>(
    decoder: fn(&Device) -> D,
) {
    let device = Device::flex();
    let decoder = decoder(&device);
    let groups = groups(&device);
    let expected: Vec<_> = groups
        .iter()
        .enumerate()
        .map(|(group, rows)| alone(&decoder, group, rows, &device))
        .collect();
    let mut state: Option<DecoderState> = None;
    let mut compared = 0;
    for now in 0.. {
        for rows in groups.iter().filter(|rows| rows.begin == now) {
            let own = decoder.start(rows.memory.clone(), &rows.row_sources);
            match &mut state {
                None => state = Some(own),
                Some(state) => decoder.join(state, own),
            }
        }
        // Of each group that is under way: its index, its step and its rows.
        let under_way = groups.iter().zip(&expected).enumerate();
        let under_way = under_way.filter_map(|(group, (rows, expected))| {
            let step = now.checked_sub(rows.begin)?;
            Some((group, step, expected.get(step)?.dims()[0]))
        });
        let under_way: Vec<_> = under_way.collect();
        let Some(running) = state.as_mut().filter(|_| !under_way.is_empty()) else {
            break;
        };
        let cohorts: Vec<_> = running.cohorts().collect();
        let lengths = under_way.iter().map(|(_, step, rows)| (*rows, *step));
        assert!(cohorts.into_iter().eq(lengths));

        let fed = under_way
            .iter()
            .map(|(group, step, rows)| tokens(*group, *step, *rows, &device));
        let hidden = decoder.forward(Tensor::cat(fed.collect(), 0), None, running);
        let mut first = 0;
        let mut parents = Vec::new();
        for (group, step, rows) in under_way {
            let found = hidden.clone().slice(s![first..first + rows, .., ..]);
            let difference = (found - expected[group][step].clone()).abs().max();
            let difference = difference.into_scalar::<f32>();
            assert!(
                difference < 1e-5,
                "group {group}, step {step}: {difference}"
            );
            compared += 1;
            let kept = groups[group].parents.get(step).into_iter().flatten();
            parents.extend(kept.map(|row| first + row));
            first += rows;
        }
        match parents.is_empty() {
            true => state = None,
            false => decoder.select_rows(running, &parents),
        }
    }
    assert_eq!(compared, 6 + 2 + 4);
}

/// A state that records attention joins none, and none joins it.
pub fn states_that_record_attention_cannot_be_joined<D: Decoder<State = DecoderState>>(
    decoder: fn(&Device) -> D,
) {
    let device = Device::flex();
    let decoder = decoder(&device);
    let start = || decoder.start(memory(1, &device).into(), &[0]);
    let mut recording = start();
    decoder.record_attention(&mut recording);
    assert!(decoder.can_join(&start(), &start()));
    assert!(!decoder.can_join(&recording, &start()));
    assert!(!decoder.can_join(&start(), &recording));
}

/// Panics, since rows of a cohort would come behind those of a later one.
pub fn rows_of_different_cohorts_keep_their_order<D: Decoder<State = DecoderState>>(
    decoder: fn(&Device) -> D,
) {
    let device = Device::flex();
    let decoder = decoder(&device);
    let mut state = decoder.start(memory(1, &device).into(), &[0]);
    decoder.join(&mut state, decoder.start(memory(1, &device).into(), &[0]));
    decoder.forward(tokens(0, 0, 2, &device), None, &mut state);
    decoder.select_rows(&mut state, &[1, 0]);
}
