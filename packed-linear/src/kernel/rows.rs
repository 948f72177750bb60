use std::cell::Cell;

use rayon::prelude::*;

use super::Kernel;
use super::block::{Block, Room};
use crate::PackedShape;

/// Rows that are to be multiplied by a weight, in the form and the order in which kernels read them.
///
/// Rows are cut into blocks of as many as a kernel takes at a time. A block has, word by word, the
/// same few inputs of each of its rows.
pub(crate) struct Rows {
    /// Rows of a block; the last may have fewer.
    pub(crate) block_rows: usize,
    pub(crate) rows: usize,
    /// Words of a row.
    pub(crate) row_words: usize,
    /// Perhaps longer than the rows are.
    pub(crate) words: Vec<u32>,
    /// What the sums of a row are to be multiplied by: the scale of its whole numbers, or 1.
    pub(crate) scales: Vec<f32>,
    /// Block by block, group by group: what a sum of products has to begin with, since weights are
    /// stored with something added.
    pub(crate) starts: Vec<i32>,
}

/// Numbers below which threads are not worth their start.
const NUMBERS_FOR_THREADS: usize = 1 << 13;

thread_local! {
    /// Words of rows that are gone: taking new memory each time, and zeros to begin with, costs more
    /// than rounding a row.
    static SPARE_WORDS: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
}

/// Words that are kept, at most.
const MOST_SPARE_WORDS: usize = 1 << 21;

impl Drop for Rows {
    fn drop(&mut self) {
        if self.words.len() <= MOST_SPARE_WORDS {
            SPARE_WORDS.set(std::mem::take(&mut self.words));
        }
    }
}

impl Rows {
    /// # Shapes
    /// - values: `[rows, inputs]`
    ///
    /// # Panics
    /// If the norm is of other numbers than the rows have.
    pub(crate) fn new(
        shape: PackedShape,
        values: &[f32],
        norm: Option<Norm<'_>>,
        kernel: &Kernel,
    ) -> Self {
        let (inputs, groups) = (shape.inputs, shape.groups());
        let rows = values.len() / inputs.max(1);
        let block_rows = rows
            .div_ceil(rows.div_ceil(kernel.most_rows()).max(1))
            .max(1);
        // Words of a row hold as many inputs as words of a weight, except where those have four bits.
        let inputs_per_word = shape.format.precision().inputs_per_word().min(4);
        let row_words = groups * shape.group_inputs() / inputs_per_word;
        let mut words = SPARE_WORDS.take();
        if words.len() < rows * row_words {
            words.resize(rows * row_words, 0);
        }
        let mut packed = Self {
            block_rows,
            rows,
            row_words,
            words,
            scales: vec![1.0; rows],
            starts: vec![0; rows * groups],
        };
        if rows == 0 || inputs == 0 {
            return packed;
        }
        if let Some(norm) = norm {
            let lengths = [norm.gamma.len(), norm.beta.len()];
            assert_eq!(lengths, [inputs; 2], "numbers of a norm");
        }
        let blocks = values
            .chunks(block_rows * inputs)
            .zip(packed.words[..rows * row_words].chunks_mut(block_rows * row_words))
            .zip(packed.scales.chunks_mut(block_rows))
            .zip(packed.starts.chunks_mut(block_rows * groups))
            .map(|(((values, words), scales), starts)| Block {
                values,
                norm,
                words,
                scales,
                starts,
            });
        if values.len() < NUMBERS_FOR_THREADS {
            let mut room = Room::default();
            blocks.for_each(|block| kernel.pack(block, shape, &mut room));
        } else {
            let blocks: Vec<Block<'_>> = blocks.collect();
            blocks
                .into_par_iter()
                .for_each_init(Room::default, |room, block| kernel.pack(block, shape, room));
        }
        packed
    }
}

/// The numbers of a [`LayerNorm`](crate::LayerNorm).
#[derive(Clone, Copy)]
pub(crate) struct Norm<'a> {
    /// `[inputs]`
    pub(crate) gamma: &'a [f32],
    /// `[inputs]`
    pub(crate) beta: &'a [f32],
    pub(crate) epsilon: f32,
}
