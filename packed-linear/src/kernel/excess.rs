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
