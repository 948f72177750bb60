#![allow(clippy::needless_range_loop)] // Loops count, so that they are compiled for the kernel's instructions.

use std::cell::Cell;

use rayon::prelude::*;

use crate::Precision;
use crate::kernel::{Kernel, LARGE};
use crate::pack::bf16_bits;
use crate::shape::PackedShape;

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
    pub(crate) fn new(shape: PackedShape, values: &[f32], kernel: &Kernel) -> Self {
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
        let blocks = values
            .chunks(block_rows * inputs)
            .zip(packed.words[..rows * row_words].chunks_mut(block_rows * row_words))
            .zip(packed.scales.chunks_mut(block_rows))
            .zip(packed.starts.chunks_mut(block_rows * groups))
            .map(|(((values, words), scales), starts)| Block {
                values,
                words,
                scales,
                starts,
            });
        if values.len() < NUMBERS_FOR_THREADS {
            blocks.for_each(|mut block| block.pack(shape, kernel));
        } else {
            let blocks: Vec<Block<'_>> = blocks.collect();
            blocks
                .into_par_iter()
                .for_each(|mut block| block.pack(shape, kernel));
        }
        packed
    }
}

/// The rows of a block, and where they go.
struct Block<'a> {
    /// `[rows, inputs]`
    values: &'a [f32],
    /// `[words of a row, rows]`
    words: &'a mut [u32],
    /// `[rows]`
    scales: &'a mut [f32],
    /// `[groups, rows]`
    starts: &'a mut [i32],
}

impl Block<'_> {
    fn pack(&mut self, shape: PackedShape, kernel: &Kernel) {
        let inputs = shape.inputs;
        let row_words = self.words.len() / self.scales.len();
        match shape.format.precision() {
            Precision::F32 => {
                let values = self.values;
                self.place(|row, place| values[row * inputs + place].to_bits());
            }
            Precision::BF16 => {
                let mut pairs = vec![0; self.words.len()];
                let rows = self.values.chunks_exact(inputs);
                for (values, pairs) in rows.zip(pairs.chunks_exact_mut(row_words)) {
                    kernel.round_to_bf16(values, pairs);
                }
                self.place(|row, place| pairs[row * row_words + place]);
            }
            Precision::Int8 | Precision::Int4 => {
                let mut whole = vec![0; 4 * self.words.len()];
                for (row, values) in self.values.chunks_exact(inputs).enumerate() {
                    let whole = &mut whole[4 * row_words * row..][..4 * row_words];
                    self.scales[row] = kernel.round(values, whole);
                    self.begin(row, whole, shape);
                }
                let (quads, _) = whole.as_chunks::<4>();
                self.place(|row, place| {
                    let [a, b, c, d] = quads[row * row_words + place];
                    u32::from_le_bytes([a as u8, b as u8, c as u8, d as u8])
                });
            }
        }
    }

    /// Places the words of all rows, which are asked for by row and place.
    #[inline(always)]
    fn place(&mut self, word: impl Fn(usize, usize) -> u32) {
        let rows = self.scales.len();
        for (place, words) in self.words.chunks_exact_mut(rows).enumerate() {
            for row in 0..rows {
                words[row] = word(row, place);
            }
        }
    }

    /// Sets what the sums of a row begin with.
    fn begin(&mut self, row: usize, whole: &[i8], shape: PackedShape) {
        let rows = self.scales.len();
        let zero = zero_point(shape.format.precision());
        for (group, whole) in whole.chunks(shape.group_inputs()).enumerate() {
            let sum: i32 = whole.iter().map(|number| i32::from(*number)).sum();
            self.starts[row + group * rows] = -zero * sum;
        }
    }
}

/// What is added to the whole numbers of weights, so that they are stored without a sign.
fn zero_point(precision: Precision) -> i32 {
    match precision {
        Precision::Int4 => 8,
        _ => 128,
    }
}

/// Rounds a row to `bf16`, two in a word.
#[inline(always)]
pub(crate) fn round_to_bf16(values: &[f32], pairs: &mut [u32]) {
    let (whole, rest) = values.as_chunks::<2>();
    let whole = &whole[..whole.len().min(pairs.len())];
    for place in 0..whole.len() {
        let [low, high] = whole[place];
        pairs[place] = bf16_bits(low) | bf16_bits(high) << 16;
    }
    if let ([last], Some(pair)) = (rest, pairs.last_mut()) {
        *pair = bf16_bits(*last);
    }
}

/// Rounds a row to whole numbers from -127 to 127 times a scale, which is returned; what is beyond the
/// row becomes 0.
#[inline(always)]
pub(crate) fn round(values: &[f32], whole: &mut [i8]) -> f32 {
    // The bits of positive numbers are ordered as the numbers are, infinity above all of them and what
    // is no number above that.
    let mut largest = 0;
    for value in values {
        largest = largest.max(value.abs().to_bits());
    }
    let largest = f32::from_bits(largest);
    // A row with an infinite number, or one that is none, has no meaningful product.
    let scale = match largest.is_finite() {
        true => largest / 127.0,
        false => f32::NAN,
    };
    let inverse = if scale > 0.0 { 127.0 / largest } else { 0.0 };
    // Adding a large number rounds, to even where that is open: faster than the library's function where
    // that is none of the processor's.
    let (row, rest) = whole.split_at_mut(values.len());
    for place in 0..row.len() {
        // The low bits of that sum are the whole number.
        row[place] = (values[place] * inverse + LARGE).to_bits() as i8;
    }
    rest.fill(0);
    scale
}
