use super::functions::layer_norm;
use super::prefetch::{prefetch_to_read, prefetch_to_write};
use super::rows::Norm;
use super::vector::{LARGE, Vector};
use crate::pack::bf16_bits;
use crate::{PackedShape, Precision};

/// Words of a row that are placed before the next row's: those of a line of the cache.
pub(super) const PLACES: usize = 16;

/// Numbers are asked for so many times [`PLACES`] words ahead.
const CHUNKS_AHEAD: usize = 3;

/// The rows of a block, and where they go.
pub(crate) struct Block<'a> {
    /// `[rows, inputs]`
    pub(super) values: &'a [f32],
    /// What is done with them first.
    pub(super) norm: Option<Norm<'a>>,
    /// `[words of a row, rows]`
    pub(super) words: &'a mut [u32],
    /// `[rows]`
    pub(super) scales: &'a mut [f32],
    /// `[groups, rows]`
    pub(super) starts: &'a mut [i32],
}

/// Room for what is made of the rows of a block meanwhile, used again for the next.
#[derive(Default)]
pub(crate) struct Room {
    /// `[rows, inputs]`
    normed: Vec<f32>,
    /// `[rows, 4 · words of a row]`
    whole: Vec<i8>,
}

impl Block<'_> {
    /// Normalises, rounds and places the rows, with vectors of the type `V`.
    ///
    /// # Safety
    /// The processor has the vector's instructions.
    #[inline(always)]
    pub(crate) unsafe fn pack<V: Vector>(mut self, shape: PackedShape, room: &mut Room) {
        let inputs = shape.inputs;
        let row_words = self.words.len() / self.scales.len();
        let Room { normed, whole } = room;
        let values = match &self.norm {
            None => self.values,
            Some(norm) => {
                normed.resize(self.scales.len() * inputs, 0.0);
                for row in 0..self.scales.len() {
                    let values = &self.values[row * inputs..][..inputs];
                    let normed = &mut normed[row * inputs..][..inputs];
                    // SAFETY: as the caller promises; all are equally long.
                    unsafe { layer_norm::<V>(norm, values, normed) };
                }
                normed.as_slice()
            }
        };
        // SAFETY: as the caller promises.
        unsafe {
            match shape.format.precision() {
                Precision::F32 => self.place::<V, _, 1>(values, inputs, bits),
                Precision::BF16 => self.place::<V, _, 2>(values, inputs, pairs),
                Precision::Int8 | Precision::Int4 => {
                    whole.resize(4 * self.words.len(), 0);
                    for row in 0..self.scales.len() {
                        let values = &values[row * inputs..][..inputs];
                        let whole = &mut whole[4 * row_words * row..][..4 * row_words];
                        self.scales[row] = round(values, whole);
                        self.begin(row, whole, shape);
                    }
                    self.place::<V, _, 4>(whole, 4 * row_words, quads);
                }
            }
        }
    }

    /// Places the words of all rows, whose numbers are `[rows, length]`.
    ///
    /// # Safety
    /// As [`pack`](Self::pack).
    #[inline(always)]
    unsafe fn place<V: Vector, T: Copy + Default, const N: usize>(
        &mut self,
        values: &[T],
        length: usize,
        words_of: impl Fn(&[[T; N]; PLACES]) -> [u32; PLACES],
    ) {
        let rows = self.scales.len();
        let row_words = self.words.len() / rows;
        assert!(rows <= PLACES && length <= N * row_words);
        let mut block = [[0; PLACES]; PLACES];
        // A few words of each row at a time, so that reads and writes stay in the first cache.
        for (chunk, words) in self.words.chunks_mut(PLACES * rows).enumerate() {
            for line in 0..rows {
                let next = words.as_mut_ptr().wrapping_add((rows + line) * PLACES);
                prefetch_to_write(next);
            }
            for row in 0..rows {
                let values = &values[row * length..][..length];
                let numbers = &values[(chunk * PLACES * N).min(length)..];
                // The processor does not see as many streams of numbers as there are rows.
                for half in 0..2 {
                    let ahead = (2 * CHUNKS_AHEAD + half) * PLACES * N / 2;
                    prefetch_to_read(numbers.as_ptr().wrapping_add(ahead));
                }
                let numbers = match numbers.as_chunks().0.first_chunk::<PLACES>() {
                    Some(all) => *all,
                    None => {
                        let mut all = [[T::default(); N]; PLACES];
                        for (place, number) in numbers.iter().enumerate() {
                            all[place / N][place % N] = *number;
                        }
                        all
                    }
                };
                block[row] = words_of(&numbers);
            }
            if rows == 1 {
                words.copy_from_slice(&block[0][..words.len()]);
            } else {
                // SAFETY: as the caller promises; there are no more rows and places.
                unsafe { V::transpose(&block, rows, words) };
            }
        }
    }

    /// Sets what the sums of a row begin with.
    #[inline(always)]
    fn begin(&mut self, row: usize, whole: &[i8], shape: PackedShape) {
        let rows = self.scales.len();
        let zero = zero_point(shape.format.precision());
        for (group, whole) in whole.chunks(shape.group_inputs()).enumerate() {
            let sum: i32 = whole.iter().map(|number| i32::from(*number)).sum();
            self.starts[row + group * rows] = -zero * sum;
        }
    }
}

/// Words of one number each.
#[inline(always)]
fn bits(numbers: &[[f32; 1]; PLACES]) -> [u32; PLACES] {
    let mut words = [0; PLACES];
    for place in 0..PLACES {
        words[place] = numbers[place][0].to_bits();
    }
    words
}

/// Words of two numbers each, rounded to `bf16`.
#[inline(always)]
fn pairs(numbers: &[[f32; 2]; PLACES]) -> [u32; PLACES] {
    // In two loops, of which the first has only steps that are the same for each number.
    let mut rounded = [[0; 2]; PLACES];
    for place in 0..PLACES {
        for half in 0..2 {
            rounded[place][half] = bf16_bits(numbers[place][half]);
        }
    }
    let mut words = [0; PLACES];
    for place in 0..PLACES {
        words[place] = rounded[place][0] | rounded[place][1] << 16;
    }
    words
}

/// Words of four whole numbers each.
#[inline(always)]
fn quads(numbers: &[[i8; 4]; PLACES]) -> [u32; PLACES] {
    let mut words = [0; PLACES];
    for place in 0..PLACES {
        let [a, b, c, d] = numbers[place];
        words[place] = u32::from_le_bytes([a as u8, b as u8, c as u8, d as u8]);
    }
    words
}

/// What is added to the whole numbers of weights, so that they are stored without a sign.
fn zero_point(precision: Precision) -> i32 {
    match precision {
        Precision::Int4 => 8,
        _ => 128,
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
