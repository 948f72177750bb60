//! Integers that some kernels can't multiply at once.
//!
//! AVX2 multiplies unsigned by signed bytes, adds two products, and saturates the sum to 16 bits. With weights up to 255
//! the sum of two products fits if the integers of a row that are multiplied together add up to no more than 128. Few
//! pairs exceed that: the largest integer of a row is 127, and most are far smaller. What a pair has beyond the limit is
//! multiplied in additional steps, so that sums are exact.

/// The largest integer that both of a pair may have.
const LIMIT: i8 = 64;

/// Flags of words that are looked at together.
const FLAGS: usize = 16;

/// What the rows of a block have beyond the limit.
#[derive(Default)]
pub(crate) struct Excess {
    /// The first of the steps of each row of each group, `[groups, rows]`, and how many there are in all. Empty if no
    /// row has an excess.
    pub(super) starts: Vec<u32>,
    /// The steps that a row has an excess in, counted from the first of the group.
    pub(super) steps: Vec<u32>,
    /// The excess of these steps, four integers each.
    pub(super) words: Vec<u32>,
}

impl Excess {
    /// Moves what is beyond the limit from rows of `row_words` words, which are four integers each, in groups of
    /// `group_words`.
    #[inline(always)]
    pub(super) fn take(
        &mut self,
        integers: &mut [i8],
        row_words: usize,
        group_words: usize,
        flags: &mut Vec<bool>,
    ) {
        flags.resize(group_words, false);
        for group in 0..row_words / group_words {
            for row in integers.chunks_exact_mut(4 * row_words) {
                let row = &mut row[4 * group * group_words..][..4 * group_words];
                let (words, _) = row.as_chunks_mut::<4>();
                for (flag, integers) in flags.iter_mut().zip(&*words) {
                    *flag = exceeds(*integers);
                }
                self.starts.push(self.steps.len() as u32);
                for (index, flags) in flags.chunks(FLAGS).enumerate() {
                    if !flags.iter().fold(false, |any, flag| any | *flag) {
                        continue;
                    }
                    let first = index * FLAGS;
                    for step in (first..first + flags.len()).filter(|step| flags[step - first]) {
                        self.steps.push(step as u32);
                        self.words.push(take_from(&mut words[step]));
                    }
                }
            }
        }
        match self.steps.is_empty() {
            true => self.starts.clear(),
            false => self.starts.push(self.steps.len() as u32),
        }
    }
}

/// Whether the integers of a word must be limited. A pair of different signs need not.
#[inline(always)]
fn exceeds([a, b, c, d]: [i8; 4]) -> bool {
    let exceeds = |a: i8, b: i8| (i16::from(a) + i16::from(b)).abs() > 2 * i16::from(LIMIT);
    exceeds(a, b) | exceeds(c, d)
}

/// Limits the integers of a word and returns the rest.
fn take_from(integers: &mut [i8; 4]) -> u32 {
    let mut excess = [0; 4];
    for (excess, integer) in excess.iter_mut().zip(integers) {
        let limited = (*integer).clamp(-LIMIT, LIMIT);
        *excess = (*integer - limited) as u8;
        *integer = limited;
    }
    u32::from_le_bytes(excess)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_and_what_is_left_are_the_integers() {
        let (rows, row_words, group_words) = (3, 60, 20);
        let mut seed = 7_u32;
        let integers: Vec<i8> = (0..rows * row_words * 4)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as i8
            })
            .collect();
        let mut left = integers.clone();
        let mut excess = Excess::default();
        excess.take(&mut left, row_words, group_words, &mut Vec::new());
        for pair in left.as_chunks::<2>().0 {
            let sum: i32 = pair.iter().map(|integer| i32::from(*integer)).sum();
            assert!(sum.abs() <= 2 * i32::from(LIMIT), "{pair:?}");
        }
        let mut together: Vec<i32> = left.iter().map(|integer| i32::from(*integer)).collect();
        let places = excess.starts.windows(2);
        for (place, range) in places.enumerate() {
            let [start, end] = [range[0], range[1]].map(|at| at as usize);
            let (group, row) = (place / rows, place % rows);
            for at in start..end {
                let word = row * row_words + group * group_words + excess.steps[at] as usize;
                for (input, byte) in excess.words[at].to_le_bytes().into_iter().enumerate() {
                    assert!((byte as i8).unsigned_abs() <= LIMIT.unsigned_abs());
                    together[4 * word + input] += i32::from(byte as i8);
                }
            }
        }
        let integers: Vec<i32> = integers.into_iter().map(i32::from).collect();
        assert_eq!(together, integers);
        assert!(!excess.steps.is_empty());
    }

    #[test]
    fn rows_of_small_integers_have_no_excess() {
        let mut integers = [64, 64, -64, -64, 127, 1, 127, -127];
        let before = integers;
        let mut excess = Excess::default();
        excess.take(&mut integers, 2, 2, &mut Vec::new());
        assert_eq!(integers, before);
        assert!(excess.starts.is_empty());
    }
}
