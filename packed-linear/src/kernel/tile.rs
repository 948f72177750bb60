use crate::epilogue::Epilogue;
use crate::rows::Rows;
use crate::shape::{LANES, PackedShape};

/// The sums of a row for the outputs of a panel.
pub(super) type Sums = [f32; LANES];

/// What finishes the sums of a row and writes them; see [`Vector::finish`](super::vector::Vector).
///
/// # Safety
/// The processor has the kernel's instructions, and so many outputs can be written.
pub(super) type Finish = unsafe fn(&Epilogue<'_>, &Sums, f32, usize, (*mut f32, usize));

/// What rounds a row to whole numbers: compiled for each instruction set, so that compilers vectorise it
/// as well as they can.
///
/// # Safety
/// Likewise.
pub(super) type Round = unsafe fn(&[f32], &mut [i8]) -> f32;

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
/// only one and it has no scales, of its words.
#[derive(Clone, Copy)]
pub(super) struct Part {
    first_group: usize,
    groups: usize,
    first_step: usize,
    steps: usize,
}

impl Part {
    /// The parts of a panel.
    pub(super) fn all(shape: PackedShape) -> Vec<Self> {
        let (groups, steps) = (shape.groups(), shape.group_words());
        if shape.scale_words() > 0 {
            let groups_of_part = (LONGEST_PART / steps.max(1)).clamp(1, groups);
            return (0..groups)
                .step_by(groups_of_part)
                .map(|first_group| Self {
                    first_group,
                    groups: groups_of_part.min(groups - first_group),
                    first_step: 0,
                    steps,
                })
                .collect();
        }
        (0..steps)
            .step_by(LONGEST_PART)
            .map(|first_step| Self {
                first_group: 0,
                groups: 1,
                first_step,
                steps: LONGEST_PART.min(steps - first_step),
            })
            .collect()
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

impl<'a> Tile<'a> {
    /// # Panics
    /// If the slices are not as long as the shape says.
    pub(super) fn new(
        shape: PackedShape,
        part: Part,
        panel: &'a [u32],
        rows: &'a Rows,
        turn: Turn,
        sums: &'a mut [Sums],
    ) -> Self {
        let (groups, steps) = (shape.groups(), shape.group_words());
        let stride = shape.group_stride();
        let start = part.first_group * stride + part.first_step * LANES;
        let words = match shape.scale_words() {
            0 => &panel[start..start + part.steps * LANES],
            _ => &panel[start..start + part.groups * stride],
        };
        // Words of a row for each of the weight's.
        let per_step = rows.row_words / (groups * steps);
        let first_row = turn.block * rows.block_rows;
        let count = sums.len();
        let skipped = (part.first_group * steps + part.first_step) * per_step;
        let block_words = &rows.words[first_row * rows.row_words..][..count * rows.row_words];
        let block_words =
            &block_words[skipped * count..][..part.groups * part.steps * per_step * count];
        let starts = match shape.scale_words() {
            0 => &[][..],
            _ => {
                &rows.starts[first_row * groups..][..count * groups][part.first_group * count..]
                    [..part.groups * count]
            }
        };
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
            starts: starts.as_ptr(),
            groups: part.groups,
            steps: part.steps,
            sums: sums.as_mut_ptr(),
            _borrowed: std::marker::PhantomData,
        }
    }
}
