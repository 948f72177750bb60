//! Integers that some kernels can't multiply at once.
//!
//! AVX2 multiplies unsigned by signed bytes, adds two products, and saturates the sum to 16 bits. With weights up to 255
//! the sum of two products fits if the integers of a row that are multiplied together add up to no more than 128. Few
//! pairs do: the largest integer of a row is 127, and most are far smaller. So what a pair has beyond the limit is
//! multiplied in additional steps, and the sums are exact.

/// The largest integer that both of a pair may have.
const LIMIT: i8 = 64;

/// What the rows of a block have beyond the limit.
#[derive(Default)]
pub(crate) struct Excess {
    /// The words of a row where any of the rows has an excess, in ascending order.
    pub(super) steps: Vec<u32>,
    /// `[steps, rows]`
    pub(super) words: Vec<u32>,
}

impl Excess {
    /// Moves what is beyond the limit from rows of `row_words` words, four integers each.
    #[inline(always)]
    pub(super) fn take(&mut self, integers: &mut [i8], row_words: usize, found: &mut Vec<bool>) {
        found.clear();
        found.resize(row_words, false);
        for row in integers.chunks_exact(4 * row_words) {
            for (found, integers) in found.iter_mut().zip(row.as_chunks().0) {
                *found |= exceeds(*integers);
            }
        }
        for (step, _) in found.iter().enumerate().filter(|(_, found)| **found) {
            self.steps.push(step as u32);
            for row in integers.chunks_exact_mut(4 * row_words) {
                let integers = &mut row.as_chunks_mut::<4>().0[step];
                let mut excess = [0; 4];
                if exceeds(*integers) {
                    for (excess, integer) in excess.iter_mut().zip(integers) {
                        let limited = (*integer).clamp(-LIMIT, LIMIT);
                        *excess = (*integer - limited) as u8;
                        *integer = limited;
                    }
                }
                self.words.push(u32::from_le_bytes(excess));
            }
        }
    }
}

/// Whether the integers of a word must be limited. Those of different signs need not.
#[inline(always)]
fn exceeds([a, b, c, d]: [i8; 4]) -> bool {
    let exceeds = |a: i8, b: i8| (i16::from(a) + i16::from(b)).abs() > 2 * i16::from(LIMIT);
    exceeds(a, b) | exceeds(c, d)
}
