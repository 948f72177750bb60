use std::ops::Range;

use rayon::prelude::*;

use super::Kernel;
use super::rows::Rows;
use super::tile::{LONGEST_PART, Outputs, Part, Tile, Turn};
use crate::epilogue::Epilogue;
use crate::shape::{LANES, PackedShape};

/// Weights times rows below which one thread is faster.
const PRODUCTS_FOR_THREADS: usize = 1 << 15;

/// Panels are handed out in so many portions for each thread: when one is held up, the others take
/// over what it has not begun.
const PORTIONS: usize = 16;

/// Rows are multiplied by all panels before the next come: as many as have so many words in a part of
/// a panel, half a second cache.
const BLOCK_WORDS: usize = 1 << 17;

/// Portions are no smaller than this many words, as handing one out takes about a microsecond.
const LEAST_WORDS: usize = 1 << 14;

/// A packed weight that rows are to be multiplied by, and where the result goes.
pub(crate) struct Job<'a> {
    pub(crate) shape: PackedShape,
    /// `[panels, words of a panel]`
    pub(crate) words: &'a [u32],
    pub(crate) epilogue: Epilogue<'a>,
    /// `[rows, outputs]`, which becomes this long; it is already if results are added.
    pub(crate) output: &'a mut Vec<f32>,
}

/// Multiplies rows by packed weights of the same format and inputs.
pub(crate) fn multiply(kernel: &Kernel, rows: &Rows, jobs: &mut [Job<'_>]) {
    let mut places = Vec::with_capacity(jobs.len());
    for job in jobs.iter_mut() {
        assert_eq!(job.words.len(), job.shape.words(), "words of the weight");
        if let Some(bias) = job.epilogue.bias {
            assert_eq!(bias.len(), job.shape.outputs, "bias");
        }
        let count = rows.rows * job.shape.outputs;
        places.push(match job.epilogue.is_added {
            true => {
                assert_eq!(job.output.len(), count, "what results are added to");
                Output::new(job.output)
            }
            false => Output::of_room(job.output, count),
        });
    }
    let tasks: Vec<Task<'_>> = jobs
        .iter()
        .zip(&places)
        .map(|(job, output)| Task {
            shape: job.shape,
            words: job.words,
            epilogue: job.epilogue,
            output: *output,
        })
        .collect();
    let threads = rayon::current_num_threads();
    let products: usize = tasks
        .iter()
        .map(|task| task.shape.words() * rows.rows)
        .sum();
    if threads == 1 || products < PRODUCTS_FOR_THREADS {
        for task in &tasks {
            task.multiply(kernel, rows, 0..task.shape.panels());
        }
    } else {
        let panels: usize = tasks.iter().map(|task| task.shape.panels()).sum();
        let least = LEAST_WORDS.div_ceil(
            tasks
                .iter()
                .map(|task| task.shape.panel_words())
                .fold(1, usize::max),
        );
        let size = panels
            .div_ceil(threads * PORTIONS)
            .max(least)
            .min(panels.div_ceil(threads));
        let portions: Vec<(&Task<'_>, Range<usize>)> = tasks
            .iter()
            .flat_map(|task| {
                let panels = task.shape.panels();
                (0..panels)
                    .step_by(size)
                    .map(move |first| (task, first..panels.min(first + size)))
            })
            .collect();
        portions
            .into_par_iter()
            .with_max_len(1)
            .for_each(|(task, panels)| task.multiply(kernel, rows, panels));
    }
    drop(tasks);
    for job in jobs {
        // SAFETY: there is room for so many, and all panels together wrote every one.
        unsafe { job.output.set_len(rows.rows * job.shape.outputs) };
    }
}

/// A job as threads share it.
struct Task<'a> {
    shape: PackedShape,
    words: &'a [u32],
    epilogue: Epilogue<'a>,
    output: Output,
}

impl Task<'_> {
    /// Multiplies all rows by some panels.
    fn multiply(&self, kernel: &Kernel, rows: &Rows, panels: Range<usize>) {
        let panel_words = self.shape.panel_words();
        let parts = Part::all(self.shape, rows);
        let part_words = rows.row_words.min(LONGEST_PART);
        let blocks = (BLOCK_WORDS / (part_words * rows.block_rows).max(1)).max(1);
        // Sums of rows that wait for the next part have a place of their own.
        let waiting = if parts.len() > 1 { blocks } else { 1 };
        let mut room = vec![[0.0; LANES]; rows.rows.min(waiting * rows.block_rows)];
        let all_blocks = rows.rows.div_ceil(rows.block_rows);
        for first in (0..all_blocks).step_by(blocks) {
            let last = all_blocks.min(first + blocks);
            for panel in panels.clone() {
                let words = &self.words[panel * panel_words..][..panel_words];
                for (place, part) in parts.iter().enumerate() {
                    for block in first..last {
                        let first_row = block * rows.block_rows;
                        let count = rows.block_rows.min(rows.rows - first_row);
                        let waiting = (block - first) % waiting * rows.block_rows;
                        let sums = &mut room[waiting..][..count];
                        let turn = Turn {
                            block,
                            before: block - first,
                            is_alone: last - first == 1,
                        };
                        let tile = Tile::new(*part, words, rows, turn, sums);
                        let outputs = self.outputs(panel, first_row, count);
                        let is_last = place + 1 == parts.len();
                        if is_last {
                            outputs.prefetch();
                        }
                        // SAFETY: a kernel is only chosen where the processor has its instructions.
                        unsafe { kernel.tiles[count - 1](&tile) };
                        if is_last {
                            let scales = &rows.scales[first_row..][..count];
                            // SAFETY: likewise; there is room for the outputs, and no other panel has
                            // these columns.
                            unsafe { (kernel.finish)(&self.epilogue, sums, scales, outputs) };
                        }
                    }
                }
            }
        }
    }

    /// Where results of a panel and some rows go.
    fn outputs(&self, panel: usize, first_row: usize, rows: usize) -> Outputs {
        let (first, stride) = (panel * LANES, self.shape.outputs);
        Outputs {
            place: self.output.0.wrapping_add(first_row * stride + first),
            rows,
            stride,
            columns: [first, LANES.min(stride - first)],
        }
    }
}

/// The memory of an output that several threads write, each its own columns.
#[derive(Clone, Copy)]
pub(super) struct Output(*mut f32);

// SAFETY: whoever writes says which part is theirs alone.
unsafe impl Send for Output {}
// SAFETY: likewise.
unsafe impl Sync for Output {}

impl Output {
    pub(super) fn new(output: &mut [f32]) -> Self {
        Self(output.as_mut_ptr())
    }

    /// Room for so many numbers, none of which is there yet.
    pub(super) fn of_room(output: &mut Vec<f32>, count: usize) -> Self {
        output.clear();
        output.reserve_exact(count);
        Self(output.as_mut_ptr())
    }

    /// # Safety
    /// The place is inside of the output.
    pub(super) unsafe fn at(&self, place: usize) -> *mut f32 {
        // SAFETY: as the caller says.
        unsafe { self.0.add(place) }
    }

    /// # Safety
    /// The place is inside of the output, and nobody else reads or writes it meanwhile.
    pub(super) unsafe fn write(&self, place: usize, values: &[f32]) {
        // SAFETY: as the caller says; a slice of plain numbers can't overlap memory that is ours.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.0.add(place), values.len()) };
    }
}
