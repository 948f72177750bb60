use super::excess::Excess;
use super::norm::{Norm, layer_norm};
use super::prefetch::{prefetch_to_read, prefetch_to_write};
use super::quantise::quantise;
use super::vector::{LINE_WORDS, Vector};
use crate::pack::bf16_bits;
use crate::{Format, PackedShape};

/// How far ahead of the current values others are prefetched, in lines of words.
const LINES_AHEAD: usize = 3;

/// The rows of a block and where they are packed to; see [`Rows`](super::rows::Rows).
pub(crate) struct Block<'a> {
    /// `[rows, inputs]`
    pub(super) values: &'a [f32],
    /// Applied first.
    pub(super) norm: Option<Norm<'a>>,
    /// `[words of a row, rows]`
    pub(super) words: &'a mut [u32],
    /// `[rows]`
    pub(super) scales: &'a mut [f32],
    /// `[groups, rows]`
    pub(super) starts: &'a mut [i32],
    /// Where to put what is beyond the limit of integers, if the kernel has one.
    pub(super) excess: Option<&'a mut Excess>,
}

/// Buffers for what a block becomes on the way, reused for the next block.
#[derive(Default)]
pub(crate) struct Buffers {
    /// `[rows, inputs]`
    normed: Vec<f32>,
    /// `[rows, 4 · words of a row]`
    integers: Vec<i8>,
    /// `[words of a group]`
    flags: Vec<bool>,
}

impl Block<'_> {
    /// Normalises, rounds and interleaves the rows, with vectors of the type `V`.
    ///
    /// # Safety
    /// The processor has the instructions of the vector.
    #[inline(always)]
    pub(super) unsafe fn pack<V: Vector>(mut self, shape: PackedShape, buffers: &mut Buffers) {
        let inputs = shape.inputs;
        let row_words = self.words.len() / self.scales.len();
        let Buffers {
            normed,
            integers,
            flags,
        } = buffers;
        let values = match &self.norm {
            None => self.values,
            Some(norm) => {
                normed.resize(self.scales.len() * inputs, 0.0);
                for row in 0..self.scales.len() {
                    let values = &self.values[row * inputs..][..inputs];
                    let normed = &mut normed[row * inputs..][..inputs];
                    // SAFETY: as the caller promises; all have `inputs` elements.
                    unsafe { layer_norm::<V>(norm, values, normed.as_mut_ptr()) };
                }
                normed.as_slice()
            }
        };
        // SAFETY: as the caller promises.
        unsafe {
            match shape.format {
                Format::F32 => self.interleave::<V, _, 1>(values, inputs, f32_words),
                Format::BF16 => self.interleave::<V, _, 2>(values, inputs, bf16_words),
                Format::Int8 { .. } | Format::Int4 { .. } => {
                    integers.resize(4 * self.words.len(), 0);
                    for row in 0..self.scales.len() {
                        let values = &values[row * inputs..][..inputs];
                        let integers = &mut integers[4 * row_words * row..][..4 * row_words];
                        self.scales[row] = quantise(values, integers);
                        self.set_starts(row, integers, shape);
                    }
                    if let Some(excess) = &mut self.excess {
                        excess.take(integers, row_words, shape.group_inputs() / 4, flags);
                    }
                    self.interleave::<V, _, 4>(integers, 4 * row_words, integer_words);
                }
            }
        }
    }

    /// Makes words of the rows, `values` of `[rows, length]`, and interleaves those of all rows.
    ///
    /// # Safety
    /// The processor has the instructions of the vector.
    #[inline(always)]
    unsafe fn interleave<V: Vector, T: Copy + Default, const N: usize>(
        &mut self,
        values: &[T],
        length: usize,
        line_of: impl Fn(&[[T; N]; LINE_WORDS]) -> [u32; LINE_WORDS],
    ) {
        let rows = self.scales.len();
        let row_words = self.words.len() / rows;
        assert!(rows <= LINE_WORDS && length <= N * row_words);
        let mut block = [[0; LINE_WORDS]; LINE_WORDS];
        // A line of each row at a time, so that reads and writes stay in the first cache.
        for (line, words) in self.words.chunks_mut(LINE_WORDS * rows).enumerate() {
            for row in 0..rows {
                let next = words.as_mut_ptr().wrapping_add((rows + row) * LINE_WORDS);
                prefetch_to_write(next);
            }
            for row in 0..rows {
                let values = &values[row * length..][..length];
                let values = &values[(line * LINE_WORDS * N).min(length)..];
                // Processors don't detect as many streams of reads as there are rows.
                for half in 0..2 {
                    let ahead = (2 * LINES_AHEAD + half) * LINE_WORDS * N / 2;
                    prefetch_to_read(values.as_ptr().wrapping_add(ahead));
                }
                let values = match values.as_chunks().0.first_chunk::<LINE_WORDS>() {
                    Some(line) => *line,
                    None => {
                        let mut line = [[T::default(); N]; LINE_WORDS];
                        for (at, value) in values.iter().enumerate() {
                            line[at / N][at % N] = *value;
                        }
                        line
                    }
                };
                block[row] = line_of(&values);
            }
            if rows == 1 {
                words.copy_from_slice(&block[0][..words.len()]);
            } else {
                // SAFETY: as the caller promises; `words` has at most a line for each row.
                unsafe { V::transpose(&block, rows, words) };
            }
        }
    }

    /// Sets what the sums of a row start with.
    #[inline(always)]
    fn set_starts(&mut self, row: usize, integers: &[i8], shape: PackedShape) {
        let rows = self.scales.len();
        let offset = weight_offset(shape.format);
        for (group, integers) in integers.chunks(shape.group_inputs()).enumerate() {
            let sum: i32 = integers.iter().map(|integer| i32::from(*integer)).sum();
            self.starts[row + group * rows] = -offset * sum;
        }
    }
}

/// Words of one `f32` each.
#[inline(always)]
fn f32_words(values: &[[f32; 1]; LINE_WORDS]) -> [u32; LINE_WORDS] {
    let mut words = [0; LINE_WORDS];
    for at in 0..LINE_WORDS {
        words[at] = values[at][0].to_bits();
    }
    words
}

/// Words of two `bf16` each.
#[inline(always)]
fn bf16_words(values: &[[f32; 2]; LINE_WORDS]) -> [u32; LINE_WORDS] {
    // Two loops, since compilers vectorise the first only if it does nothing but round.
    let mut rounded = [[0; 2]; LINE_WORDS];
    for at in 0..LINE_WORDS {
        for half in 0..2 {
            rounded[at][half] = bf16_bits(values[at][half]);
        }
    }
    let mut words = [0; LINE_WORDS];
    for at in 0..LINE_WORDS {
        words[at] = rounded[at][0] | rounded[at][1] << 16;
    }
    words
}

/// Words of four integers each.
#[inline(always)]
fn integer_words(values: &[[i8; 4]; LINE_WORDS]) -> [u32; LINE_WORDS] {
    let mut words = [0; LINE_WORDS];
    for at in 0..LINE_WORDS {
        words[at] = u32::from_le_bytes(values[at].map(|value| value as u8));
    }
    words
}

/// What is added to the integers of a weight so that they are stored unsigned.
fn weight_offset(format: Format) -> i32 {
    match format {
        Format::Int4 { .. } => 8,
        _ => 128,
    }
}
