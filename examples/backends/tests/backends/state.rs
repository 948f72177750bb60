//! A decoder's state: its cache, and rows that go on from others.

use std::ops::Range;

use burn::tensor::{Bool, Device, Int, Tensor, s};
use vision_encoder_decoder::Decoder;

use crate::devices::{STATES, assert_close, numbers, on_every_device};
use crate::reference::{Tensors, load};

/// Rows of the reference, and tokens of each.
const ROWS: usize = 3;
const LENGTH: usize = 9;

/// A piece of the reference's texts.
struct Piece<'a> {
    places: Range<usize>,
    /// The row of the reference that each row is.
    rows: &'a [usize],
    /// What was row `parents[i]` before goes on as row `i`.
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
        places,
        rows,
        parents,
    } in pieces
    {
        if let Some(parents) = parents {
            model.decoder.select_rows(&mut state, parents);
        }
        let numbered: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
        let numbered = Tensor::<1, Int>::from_data(numbered.as_slice(), device);
        let new = tokens.clone().select(0, numbered.clone());
        let new = new.slice(s![.., places.clone()]);
        // By way of integers: see the decoder's state.
        let padding = padding.clone().map(|all| {
            let selected = all.int().select(0, numbered.clone());
            selected.slice(s![.., places.clone()]).bool()
        });
        let hidden = model.decoder.forward(new, padding, &mut state);
        let found = numbers(model.decoder.logits(hidden));
        let what = format!("logits of tokens {places:?} of rows {rows:?} on {name}");
        let expected = part(&expected, rows, places.clone());
        apart = f32::max(apart, assert_close(&what, &found, &expected, STATES));
    }
    println!("logits in {} pieces on {name}: {apart:.1e}", pieces.len());
}

/// The reference's logits of some places in some rows.
fn part(logits: &[f32], rows: &[usize], places: Range<usize>) -> Vec<f32> {
    let vocabulary = logits.len() / (ROWS * LENGTH);
    let of_row = |row: &usize| {
        let (first, last) = (row * LENGTH + places.start, row * LENGTH + places.end);
        &logits[first * vocabulary..last * vocabulary]
    };
    rows.iter().flat_map(of_row).copied().collect()
}

#[test]
fn tokens_one_by_one_have_the_logits_that_transformers_has_for_the_whole() {
    on_every_device(|name, device| {
        let padding = Tensors::read().padding(device);
        let pieces = (0..LENGTH).map(|place| Piece {
            places: place..place + 1,
            rows: &[0, 1, 2],
            parents: None,
        });
        assert_pieces(name, device, Some(padding), &pieces.collect::<Vec<_>>());
    });
}

#[test]
fn rows_that_are_selected_go_on_as_those_that_they_were() {
    on_every_device(|name, device| {
        let padding = Tensors::read().padding(device);
        let pieces = [
            Piece {
                places: 0..3,
                rows: &[0, 1, 2],
                parents: None,
            },
            Piece {
                places: 3..5,
                rows: &[2, 0, 2, 1],
                parents: Some(&[2, 0, 2, 1]),
            },
            Piece {
                places: 5..6,
                rows: &[0, 1],
                parents: Some(&[1, 3]),
            },
            // So few that the memory of images is dropped, too.
            Piece {
                places: 6..9,
                rows: &[1, 1],
                parents: Some(&[1, 1]),
            },
        ];
        assert_pieces(name, device, Some(padding), &pieces);
    });
}
