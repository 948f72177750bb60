use std::cell::Cell;

use super::excess::Excess;

/// Rows that are multiplied by a weight, in the form and the order in which kernels read them.
///
/// Rows are cut into blocks of as many as a kernel takes at a time. A block has the first word of each of
/// its rows, then the second word of each, and so on. A word holds a few inputs: one `f32`, two `bf16` or
/// four `i8`.
pub(crate) struct Rows {
    /// Rows of a block; the last block may have fewer.
    pub(super) block_rows: usize,
    pub(super) rows: usize,
    /// Words of a row.
    pub(super) row_words: usize,
    /// Block by block; may be longer than needed.
    pub(super) words: Vec<u32>,
    /// What the sums of a row are multiplied by: the scale of its integers, or 1.
    pub(super) scales: Vec<f32>,
    /// What integer sums start with, `[groups, rows]` for each block: it corrects for the offset that
    /// makes stored weights unsigned.
    pub(super) starts: Vec<i32>,
    /// What each block has beyond the limit of integers. Empty if the kernel has none.
    pub(super) excess: Vec<Excess>,
}

thread_local! {
    /// The words of earlier rows. Allocating and zeroing memory takes longer than quantising a row.
    static SPARE_WORDS: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
}

/// Longer vectors of words are freed.
const MOST_SPARE_WORDS: usize = 1 << 21;

impl Rows {
    /// Rows of which only the sizes are set.
    pub(super) fn with_room(
        rows: usize,
        block_rows: usize,
        row_words: usize,
        groups: usize,
    ) -> Self {
        let mut words = SPARE_WORDS.take();
        if words.len() < rows * row_words {
            words.resize(rows * row_words, 0);
        }
        Self {
            block_rows,
            rows,
            row_words,
            words,
            scales: vec![1.0; rows],
            starts: vec![0; rows * groups],
            excess: Vec::new(),
        }
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> usize {
        self.rows
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        if self.words.len() <= MOST_SPARE_WORDS {
            SPARE_WORDS.set(std::mem::take(&mut self.words));
        }
    }
}
