use std::marker::PhantomData;

use super::rows::Rows;
#[cfg(feature = "autodiff")]
use super::vector::LINE_WORDS;
use crate::shape::{LANES, PackedShape};

/// The sums of a row for the outputs of a panel.
pub(super) type Sums = [f32; LANES];

/// A block of rows and a part of a panel, or of two panels, that they are multiplied by.
pub(super) struct Tile<'a> {
    /// `[groups]`, each the scales, if there are any, and `[steps, LANES]` words.
    pub(super) words: *const u32,
    /// Words from a panel to the next.
    pub(super) panel_stride: usize,
    /// `[groups · steps, rows]`, or with 4-bit weights `[groups · steps · 2, rows]`.
    pub(super) rows: *const u32,
    /// `[groups, rows]`, if weights are integers.
    pub(super) starts: *const i32,
    /// What rows have in excess; see [`Excess`](super::excess::Excess). `[groups · rows + 1]`, or empty.
    pub(super) excess_starts: &'a [u32],
    pub(super) excess_steps: &'a [u32],
    pub(super) excess_words: &'a [u32],
    pub(super) groups: usize,
    /// Words of a group for each output.
    pub(super) steps: usize,
    /// `[panels, rows]`
    pub(super) sums: *mut Sums,
    /// Whether the sums are not yet initialised.
    pub(super) is_first: bool,
    /// What is prefetched during the first step: words of the next part, unless other blocks of rows
    /// prefetch them. The address may be invalid.
    pub(super) ahead: *const u32,
    /// Words by which `ahead` moves on with each step.
    pub(super) ahead_step: usize,
    borrowed: PhantomData<&'a mut [Sums]>,
}

/// Words of a group, for each output, that are multiplied before the next block of rows comes: at most
/// 128 kB of weights, which the next block then finds in the cache.
pub(super) const LONGEST_PART: usize = 1024;

/// How many words ahead weights are prefetched where there is only one block of rows. The processor
/// prefetches by itself, but not beyond the end of a page.
pub(super) const WORDS_AHEAD: usize = 512;

/// The part of each panel that is multiplied at a time: a range of whole groups or, where there is only
/// one group without scales, of its steps.
///
/// Everything that a [`Tile`] needs is computed once per part: a division per tile would cost a percent of
/// the time.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// The first of a panel's words, and how many.
    words: [usize; 2],
    /// The first of a row's words, and how many.
    row_words: [usize; 2],
    /// The first of a block's groups, how many of them, and how many there are in all; zeros if there are
    /// no scales.
    starts: [usize; 3],
    groups: usize,
    /// Words of a group for each output.
    steps: usize,
}

impl Part {
    /// The parts of a panel.
    pub(super) fn all(shape: PackedShape, rows: &Rows) -> Vec<Self> {
        let (groups, steps) = (shape.groups(), shape.group_words());
        // Words of a row per step.
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

/// A block of rows, and its place among those that are multiplied by a part one after the other.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) block: usize,
    /// How many blocks were multiplied by the part before this one.
    pub(super) before: usize,
    /// Whether there is no other.
    pub(super) is_alone: bool,
}

/// The words of one panel or more.
#[derive(Clone, Copy)]
pub(super) struct PanelWords<'a> {
    /// Those of the first panel, and whatever follows.
    pub(super) words: &'a [u32],
    pub(super) panels: usize,
    /// Words from one panel to the next.
    pub(super) stride: usize,
}

impl<'a> Tile<'a> {
    /// # Shapes
    /// - sums: `[panels, rows]`
    ///
    /// # Panics
    /// If the slices are shorter than the part says.
    pub(super) fn new(
        part: Part,
        panels: PanelWords<'a>,
        rows: &'a Rows,
        turn: Turn,
        sums: &'a mut [Sums],
    ) -> Self {
        let count = sums.len() / panels.panels;
        let first_row = turn.block * rows.block_rows;
        let words = &panels.words[part.words[0]..];
        let last_panel = (panels.panels - 1) * panels.stride;
        assert!(words.len() >= last_panel + part.words[1], "words of panels");
        let block_words = &rows.words[first_row * rows.row_words..][..count * rows.row_words];
        let block_words = &block_words[part.row_words[0] * count..][..part.row_words[1] * count];
        let [first_group, groups, all_groups] = part.starts;
        let block_starts = &rows.starts[first_row * all_groups..][..count * all_groups];
        let block_starts = &block_starts[first_group * count..][..groups * count];
        let all_steps = part.groups * part.steps;
        let (excess_starts, excess_steps, excess_words) = match rows.excess.get(turn.block) {
            Some(excess) if !excess.starts.is_empty() => {
                let starts = &excess.starts[first_group * count..][..groups * count + 1];
                (starts, &excess.steps[..], &excess.words[..])
            }
            _ => Default::default(),
        };
        let (ahead, ahead_step) = match turn {
            Turn { is_alone: true, .. } => (WORDS_AHEAD, LANES),
            // The first two blocks prefetch half of the next part each.
            Turn { before: 0..2, .. } => (
                part.words[1] + turn.before * all_steps * LANES / 2,
                LANES / 2,
            ),
            Turn { .. } => (0, 0),
        };
        Self {
            ahead: words.as_ptr().wrapping_add(ahead),
            ahead_step,
            words: words.as_ptr(),
            panel_stride: panels.stride,
            rows: block_words.as_ptr(),
            starts: block_starts.as_ptr(),
            excess_starts,
            excess_steps,
            excess_words,
            groups: part.groups,
            steps: part.steps,
            sums: sums.as_mut_ptr(),
            is_first: part.words[0] == 0,
            borrowed: PhantomData,
        }
    }

    /// A tile of `f32`, whose sums are added to unless it is the first.
    ///
    /// # Shapes
    /// - panel: `[steps, LANES]`
    /// - rows: `[steps, rows]`
    /// - sums: `[rows]`
    /// - ahead: what is prefetched, one cache line per step
    ///
    /// # Panics
    /// If the sizes don't fit together.
    #[cfg(feature = "autodiff")]
    pub(super) fn of_floats(
        panel: &'a [f32],
        rows: &'a [f32],
        is_first: bool,
        sums: &'a mut [Sums],
        ahead: Option<*const f32>,
    ) -> Self {
        let steps = panel.len() / LANES;
        assert_eq!(panel.len(), steps * LANES, "values of a panel");
        assert_eq!(rows.len(), steps * sums.len(), "values of a block of rows");
        Self {
            words: panel.as_ptr().cast(),
            panel_stride: panel.len(),
            rows: rows.as_ptr().cast(),
            starts: std::ptr::null(),
            excess_starts: &[],
            excess_steps: &[],
            excess_words: &[],
            groups: 1,
            steps,
            sums: sums.as_mut_ptr(),
            is_first,
            ahead: ahead.unwrap_or(panel.as_ptr()).cast(),
            ahead_step: ahead.map_or(0, |_| LINE_WORDS),
            borrowed: PhantomData,
        }
    }
}

impl Tile<'_> {
    /// Zeroes the sums before those of the first group are added. Kernels do so as late as they can, while
    /// the results of the last block may still be on their way to memory.
    ///
    /// # Safety
    /// The tile has `ROWS` rows.
    #[inline(always)]
    pub(super) unsafe fn clear_before<const ROWS: usize>(&self, group: usize) {
        if group == 0 && self.is_first {
            // SAFETY: as the caller promises, there are `ROWS` sums.
            unsafe { self.sums.cast::<[Sums; ROWS]>().write([[0.0; LANES]; ROWS]) };
        }
    }
}
