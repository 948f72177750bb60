use rayon::prelude::*;

use super::block::{Block, Buffers};
use super::excess::Excess;
use super::norm::Norm;
use super::rows::Rows;
use super::table::Kernel;
use crate::PackedShape;

/// Fewer input values are prepared on one thread.
const LEAST_FOR_THREADS: usize = 1 << 13;

impl Rows {
    /// Normalises rows, if there is a norm, and brings them into the form that a kernel reads.
    ///
    /// # Shapes
    /// - values: `[rows, inputs]`
    ///
    /// # Panics
    /// If the norm's width is not the number of inputs.
    pub(crate) fn new(
        shape: PackedShape,
        values: &[f32],
        norm: Option<Norm<'_>>,
        kernel: &Kernel,
    ) -> Self {
        let (inputs, groups) = (shape.inputs, shape.groups());
        let rows = values.len() / inputs.max(1);
        // Blocks of about the same size.
        let blocks = rows.div_ceil(kernel.most_rows()).max(1);
        let block_rows = rows.div_ceil(blocks).max(1);
        // Inputs have at least 8 bits, also where weights have 4.
        let inputs_per_word = shape.format.inputs_per_word().min(4);
        let row_words = groups * shape.group_inputs() / inputs_per_word;
        let mut packed = Self::with_room(rows, block_rows, row_words, groups);
        if rows == 0 || inputs == 0 {
            return packed;
        }
        if kernel.limits_integers {
            packed.excess.resize_with(blocks, Excess::default);
        }
        if let Some(norm) = norm {
            norm.check(inputs);
        }
        let mut excess = packed.excess.iter_mut();
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
                excess: excess.next(),
            });
        if values.len() < LEAST_FOR_THREADS {
            let mut buffers = Buffers::default();
            blocks.for_each(|block| kernel.pack(block, shape, &mut buffers));
        } else {
            let blocks: Vec<Block<'_>> = blocks.collect();
            blocks
                .into_par_iter()
                .for_each_init(Buffers::default, |buffers, block| {
                    kernel.pack(block, shape, buffers);
                });
        }
        packed
    }
}
