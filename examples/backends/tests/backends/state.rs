//! A decoder's state: its cache, and rows that continue others.

use std::ops::Range;

use burn::tensor::{Bool, Device, Int, Tensor, s};
use vision_encoder_decoder::Decoder;

use crate::devices::{STATES, assert_close, on_every_device, values};
use crate::reference::{Tensors, load};

/// Rows of the reference.
const ROWS: usize = 3;
/// Tokens of each row.
const LENGTH: usize = 9;

/// A piece of the reference's texts.
struct Piece<'a> {
    positions: Range<usize>,
    /// The reference's row that each row is a copy of.
    rows: &'a [usize],
    /// Rows to select before the piece is fed: row `i` continues what was row `parents[i]`.
    parents: Option<&'a [usize]>,
}

/// Feeds the reference's texts in pieces and compares the logits of each.
fn assert_pieces(
    name: &str,
    device: &Device,
    padding: Option<Tensor<2, Bool>>, // [ROWS, LENGTH]
    pieces: &[Piece<'_>],
) {
    let reference = Tensors::read();
    let expected = reference.floats("logits");
    let tokens = reference.tokens(device);
    let model = load(device).model;
    let memory = model.encode(reference.pixel_values(device));
    let mut state = model.decoder.start(memory, &[0, 1, 2]);
    let mut apart = 0.0;
    for Piece {
        positions,
        rows,
        parents,
    } in pieces
    {
        if let Some(parents) = parents {
            model.decoder.select_rows(&mut state, parents);
        }
        let indices: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
        let indices = Tensor::<1, Int>::from_data(indices.as_slice(), device);
        let new = tokens.clone().select(0, indices.clone());
        let new = new.slice(s![.., positions.clone()]);
        // Selected as integers, because Flex changes the type of a selected mask to bytes.
        let padding = padding.clone().map(|all| {
            let selected = all.int().select(0, indices.clone());
            selected.slice(s![.., positions.clone()]).bool()
        });
        let hidden = model.decoder.forward(new, padding, &mut state);
        let found = values(model.decoder.logits(hidden));
        let what = format!("logits of tokens {positions:?} of rows {rows:?} on {name}");
        let expected = part(&expected, rows, positions.clone());
        apart = f32::max(apart, assert_close(&what, &found, &expected, STATES));
    }
    println!("logits in {} pieces on {name}: {apart:.1e}", pieces.len());
}

/// The reference's logits of some positions in some rows.
fn part(logits: &[f32], rows: &[usize], positions: Range<usize>) -> Vec<f32> {
    let vocabulary = logits.len() / (ROWS * LENGTH);
    let of_row = |row: &usize| {
        let (first, end) = (row * LENGTH + positions.start, row * LENGTH + positions.end);
        &logits[first * vocabulary..end * vocabulary]
    };
    rows.iter().flat_map(of_row).copied().collect()
}

#[test]
fn tokens_fed_one_by_one_have_the_logits_that_transformers_computes_at_once() {
    on_every_device(|name, device| {
        let padding = Tensors::read().padding(device);
        let pieces = (0..LENGTH).map(|position| Piece {
            positions: position..position + 1,
            rows: &[0, 1, 2],
            parents: None,
        });
        assert_pieces(name, device, Some(padding), &pieces.collect::<Vec<_>>());
    });
}

#[test]
fn selected_rows_continue_those_that_they_were() {
    on_every_device(|name, device| {
        let padding = Tensors::read().padding(device);
        let pieces = [
            Piece {
                positions: 0..3,
                rows: &[0, 1, 2],
                parents: None,
            },
            Piece {
                positions: 3..5,
                rows: &[2, 0, 2, 1],
                parents: Some(&[2, 0, 2, 1]),
            },
            Piece {
                positions: 5..6,
                rows: &[0, 1],
                parents: Some(&[1, 3]),
            },
            // So few rows that the memory of the other images is dropped too.
            Piece {
                positions: 6..9,
                rows: &[1, 1],
                parents: Some(&[1, 1]),
            },
        ];
        assert_pieces(name, device, Some(padding), &pieces);
    });
}
