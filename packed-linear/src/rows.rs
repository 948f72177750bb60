#![allow(clippy::needless_range_loop)] // Loops count, so that they are compiled for the kernel's instructions.

use rayon::prelude::*;

use crate::shape::PackedShape;
use crate::pack::bf16_bits;
use crate::Precision;
use crate::kernel::Kernel;

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
    pub(crate) words: Vec<u32>,
    /// What each row's whole numbers are to be multiplied by. Empty if they are no whole numbers.
    pub(crate) scales: Vec<f32>,
    /// Block by block, group by group: what a sum of products has to begin with, since weights are
    /// stored with something added. Empty likewise.
    pub(crate) starts: Vec<i32>,
}

/// Numbers below which threads are not worth their start.
const NUMBERS_FOR_THREADS: usize = 1 << 16;

/// What is added to the whole numbers, so that they are stored without a sign.
fn zero_point(precision: Precision) -> i32 {
    match precision {
        Precision::Int4 => 8,
        _ => 128,
    }
}

impl Rows {
    /// # Shapes
    /// - values: `[rows, inputs]`
    pub(crate) fn new(shape: PackedShape, values: &[f32], kernel: &Kernel) -> Self {
        let (inputs, groups) = (shape.inputs, shape.groups());
        let rows = values.len() / inputs.max(1);
        let precision = shape.format.precision();
        let block_rows = rows.div_ceil(rows.div_ceil(kernel.most_rows()).max(1)).max(1);
        // Words of a row hold as many inputs as words of a weight, except where those have four bits.
        let inputs_per_word = precision.inputs_per_word().min(4);
        let row_words = groups * shape.group_inputs() / inputs_per_word;
        let integers = precision.is_integer();
        let mut packed = Self {
            block_rows,
            rows,
            row_words,
            words: vec![0; rows * row_words],
            scales: vec![0.0; if integers { rows } else { 0 }],
            starts: vec![0; if integers { rows * groups } else { 0 }],
        };
        if rows == 0 || row_words == 0 {
            return packed;
        }
        let pack = |whole: &mut Vec<i8>,
                    ((block, words), (scales, starts)): (
            (&[f32], &mut [u32]),
            (&mut [f32], &mut [i32]),
        )| {
            let rows = words.len() / row_words;
            whole.resize(if integers { row_words * 4 } else { 0 }, 0);
            for row in 0..rows {
                let values = &block[row * inputs..(row + 1) * inputs];
                match precision {
                    Precision::F32 => {
                        for place in 0..inputs {
                            words[row + place * rows] = values[place].to_bits();
                        }
                    }
                    Precision::BF16 => {
                        for place in 0..inputs.div_ceil(2) {
                            let second = values.get(2 * place + 1).map_or(0, |v| bf16_bits(*v));
                            words[row + place * rows] = bf16_bits(values[2 * place]) | second << 16;
                        }
                    }
                    Precision::Int8 | Precision::Int4 => {
                        scales[row] = kernel.round(values, whole);
                        let (quads, _) = whole.as_chunks::<4>();
                        for place in 0..quads.len() {
                            let [a, b, c, d] = quads[place];
                            let quad = [a as u8, b as u8, c as u8, d as u8];
                            words[row + place * rows] = u32::from_le_bytes(quad);
                        }
                        let zero = zero_point(precision);
                        let groups = whole.chunks(shape.group_inputs());
                        for (start, group) in starts[row..].iter_mut().step_by(rows).zip(groups) {
                            *start = -zero * group.iter().map(|n| i32::from(*n)).sum::<i32>();
                        }
                    }
                }
            }
        };
        let block_values = values.chunks(block_rows * inputs);
        let chunk = |per_row: usize| if integers { block_rows * per_row } else { 1 };
        if values.len() < NUMBERS_FOR_THREADS || packed.rows <= block_rows {
            let mut scales = packed.scales.chunks_mut(chunk(1));
            let mut starts = packed.starts.chunks_mut(chunk(groups));
            let words = packed.words.chunks_mut(block_rows * row_words);
            let mut whole = Vec::new();
            for part in block_values.zip(words) {
                let scales = scales.next().unwrap_or_default();
                pack(&mut whole, (part, (scales, starts.next().unwrap_or_default())));
            }
        } else if integers {
            values
                .par_chunks(block_rows * inputs)
                .zip(packed.words.par_chunks_mut(block_rows * row_words))
                .zip(
                    packed
                        .scales
                        .par_chunks_mut(chunk(1))
                        .zip(packed.starts.par_chunks_mut(chunk(groups))),
                )
                .for_each_init(Vec::new, pack);
        } else {
            values
                .par_chunks(block_rows * inputs)
                .zip(packed.words.par_chunks_mut(block_rows * row_words))
                .for_each(|part| pack(&mut Vec::new(), (part, (&mut [], &mut []))));
        }
        packed
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
    // Behind so large a number there is no room for a fraction: the sum is rounded, to even where that
    // is open. Faster than the library's function where that is none of the processor's.
    const LARGE: f32 = (3 << 22) as f32;
    let (row, rest) = whole.split_at_mut(values.len());
    for place in 0..row.len() {
        // Beyond 127 only where the inverse of a tiny number is inexact.
        let number = ((values[place] * inverse + LARGE) - LARGE).clamp(-127.0, 127.0);
        row[place] = number as i32 as i8;
    }
    rest.fill(0);
    scale
}
