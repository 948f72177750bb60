use std::ops::Range;

use super::block::{Block, Room};
use super::prefetch::prefetch_to_write;
use super::rows::Rows;
use crate::epilogue::Epilogue;
use crate::shape::{LANES, PackedShape};

/// The sums of a row for the outputs of a panel.
pub(super) type Sums = [f32; LANES];

/// What finishes the sums of a block of rows and writes them; see
/// [`Vector::finish`](super::vector::Vector).
///
/// # Safety
/// The processor has the kernel's instructions, and the outputs can be written.
pub(super) type Finish = unsafe fn(&Epilogue<'_>, &[Sums], &[f32], Outputs);

/// Where the sums of a block of rows go: a panel's columns of an output.
#[derive(Clone, Copy)]
pub(super) struct Outputs {
    /// Of the first row.
    pub(super) place: *mut f32,
    pub(super) rows: usize,
    /// Numbers from one row to the next.
    pub(super) stride: usize,
    /// The first of the columns, and how many.
    pub(super) columns: [usize; 2],
}

impl Outputs {
    /// Asks for the memory, which is then there when results are.
    #[inline(always)]
    pub(super) fn prefetch(&self) {
        for row in 0..self.rows {
            let place = self.place.wrapping_add(row * self.stride);
            prefetch_to_write(place);
            prefetch_to_write(place.wrapping_add(LANES / 2));
        }
    }
}

/// What brings a block of rows into the form that tiles read; see [`Block::pack`].
///
/// # Safety
/// The processor has the kernel's instructions.
pub(super) type Pack = unsafe fn(Block<'_>, PackedShape, &mut Room);

/// A block of rows and a part of a panel that they are multiplied by.
pub(super) struct Tile<'a> {
    /// `[groups]`, each its scales and `[steps, LANES]` words.
    pub(super) words: *const u32,
    /// `[groups · steps · words of a step, rows]`; with 4-bit weights a step has two words of each
    /// row, otherwise one.
    pub(super) rows: *const u32,
    /// `[groups, rows]`, if weights are whole numbers.
    pub(super) starts: *const i32,
    pub(super) groups: usize,
    /// Words of a group for each output.
    pub(super) steps: usize,
    /// `[rows]`
    pub(super) sums: *mut Sums,
    /// Whether there are no sums yet: what is there means nothing.
    pub(super) is_first: bool,
    /// Words that memory is to be asked for while the first step is multiplied: those of the next part,
    /// as far as other blocks of rows do not ask for them. Perhaps behind the last word.
    pub(super) ahead: *const u32,
    /// By how many words further with each step.
    pub(super) ahead_step: usize,
    _borrowed: std::marker::PhantomData<&'a mut [Sums]>,
}

/// Words of a group that are multiplied before the next block of rows comes, where a group is long:
/// 128 kB of weights, which then come from the cache.
pub(super) const LONGEST_PART: usize = 1024;

/// Words ahead of which memory is asked for where a block of rows is alone: the processor does so by
/// itself, but only up to the end of a page.
pub(super) const AHEAD: usize = 512;

/// A part of each panel that is multiplied at a time: a range of whole groups or, where there is
/// only one and it has no scales, of its words. All numbers that a [`Tile`] needs of it are here, as
/// a division for each tile would cost a percent of the time.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// Of the panel's words the first, and how many.
    words: [usize; 2],
    /// Likewise of a row's.
    row_words: [usize; 2],
    /// Likewise of the groups, and how many there are in all; none if there are no scales.
    starts: [usize; 3],
    groups: usize,
    /// Words of a group for each output.
    steps: usize,
}

impl Part {
    /// The parts of a panel.
    pub(super) fn all(shape: PackedShape, rows: &Rows) -> Vec<Self> {
        let (groups, steps) = (shape.groups(), shape.group_words());
        // Words of a row for each of the weight's.
        let per_step = rows.row_words / (groups * steps);
        if shape.scale_words() > 0 {
            let stride = shape.group_stride();
            let groups_of_part = (LONGEST_PART / steps.max(1)).clamp(1, groups);
            let part = |first| {
                let count = groups_of_part.min(groups - first);
                Self {
                    words: [first * stride, count * stride],
                    row_words: [first, count].map(|groups| groups * steps * per_step),
                    starts: [first, count, groups],
                    groups: count,
                    steps,
                }
            };
            return (0..groups).step_by(groups_of_part).map(part).collect();
        }
        let part = |first| {
            let count = LONGEST_PART.min(steps - first);
            Self {
                words: [first * LANES, count * LANES],
                row_words: [first, count].map(|steps| steps * per_step),
                starts: [0; 3],
                groups: 1,
                steps: count,
            }
        };
        (0..steps).step_by(LONGEST_PART).map(part).collect()
    }
}

/// A block of rows, and which one it is of those that are multiplied by a part in turn.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) block: usize,
    /// How many were multiplied by the part before.
    pub(super) before: usize,
    /// Whether it is the only one.
    pub(super) is_alone: bool,
}

/// Steps whose products are summed before the sum is added to that of the steps before. The error of a sum
/// grows with the number of additions one after the other, so a few thousand are made in blocks; and a
/// processor can begin a block before it has finished the one before.
pub(super) const BLOCK_STEPS: usize = 16;

impl Tile<'_> {
    /// The steps, cut into blocks of [`BLOCK_STEPS`].
    #[inline(always)]
    pub(super) fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        let steps = self.steps;
        (0..steps.div_ceil(BLOCK_STEPS)).map(move |block| {
            let first = block * BLOCK_STEPS;
            first..steps.min(first + BLOCK_STEPS)
        })
    }

    /// Makes the sums zero before those of a group are added, if there are none yet. Kernels do it no sooner
    /// than they need to, while memory may still be taking the results of the block before.
    ///
    /// # Safety
    /// There are so many sums.
    #[inline(always)]
    pub(super) unsafe fn clear_before<const ROWS: usize>(&self, group: usize) {
        if group == 0 && self.is_first {
            // SAFETY: as the caller says.
            unsafe { self.sums.cast::<[Sums; ROWS]>().write([[0.0; LANES]; ROWS]) };
        }
    }
}

impl<'a> Tile<'a> {
    /// # Panics
    /// If the slices are not as long as the part says.
    pub(super) fn new(
        part: Part,
        panel: &'a [u32],
        rows: &'a Rows,
        turn: Turn,
        sums: &'a mut [Sums],
    ) -> Self {
        let count = sums.len();
        let first_row = turn.block * rows.block_rows;
        let words = &panel[part.words[0]..][..part.words[1]];
        let block_words = &rows.words[first_row * rows.row_words..][..count * rows.row_words];
        let block_words = &block_words[part.row_words[0] * count..][..part.row_words[1] * count];
        let [first_start, starts, all_starts] = part.starts;
        let block_starts = &rows.starts[first_row * all_starts..][..count * all_starts];
        let block_starts = &block_starts[first_start * count..][..starts * count];
        let all_steps = part.groups * part.steps;
        let (ahead, ahead_step) = match turn {
            Turn { is_alone: true, .. } => (AHEAD, LANES),
            Turn { before: 0..2, .. } => {
                (words.len() + turn.before * all_steps * LANES / 2, LANES / 2)
            }
            Turn { .. } => (0, 0),
        };
        Self {
            ahead: words.as_ptr().wrapping_add(ahead),
            ahead_step,
            words: words.as_ptr(),
            rows: block_words.as_ptr(),
            starts: block_starts.as_ptr(),
            groups: part.groups,
            steps: part.steps,
            sums: sums.as_mut_ptr(),
            is_first: part.words[0] == 0,
            _borrowed: std::marker::PhantomData,
        }
    }
}
