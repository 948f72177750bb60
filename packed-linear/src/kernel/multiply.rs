use std::ops::Range;

use rayon::prelude::*;

use super::output::Output;
use super::rows::Rows;
use super::table::Kernel;
use super::tile::{LONGEST_PART, PanelWords, Part, Tile, Turn};
use crate::epilogue::Epilogue;
use crate::shape::{LANES, PackedShape};

/// Below this many products of a weight's word and a row one thread is faster.
const LEAST_FOR_THREADS: usize = 1 << 15;

/// Portions of panels per thread: while one thread is held up, the others take over what it has not begun.
const PORTIONS: usize = 16;

/// Rows are multiplied by all panels in chunks whose words, of one part, take at most this many: half of
/// the second cache.
const CHUNK_WORDS: usize = 1 << 17;

/// Panels that a kernel may multiply at a time.
const MOST_PANELS: usize = 2;

/// The least words of a portion, as handing one out takes about a microsecond.
const LEAST_PORTION_WORDS: usize = 1 << 14;

/// A packed weight that rows are multiplied by, and where the result goes.
pub(crate) struct Job<'a> {
    pub(crate) shape: PackedShape,
    /// `[panels, words of a panel]`
    pub(crate) words: &'a [u32],
    pub(crate) epilogue: Epilogue<'a>,
    /// Becomes `[rows, outputs]`; it must have these elements already if the epilogue adds to them.
    pub(crate) output: &'a mut Vec<f32>,
}

/// Multiplies rows by packed weights of the same format and inputs.
///
/// # Panics
/// If the words, a bias or an output that is added to has another length than the shapes say.
pub(crate) fn multiply(kernel: &Kernel, rows: &Rows, jobs: &mut [Job<'_>]) {
    let mut outputs = Vec::with_capacity(jobs.len());
    for job in jobs.iter_mut() {
        assert_eq!(job.words.len(), job.shape.words(), "words of the weight");
        if let Some(bias) = job.epilogue.bias {
            assert_eq!(bias.len(), job.shape.outputs, "bias");
        }
        let count = rows.rows * job.shape.outputs;
        outputs.push(match job.epilogue.is_added {
            true => {
                assert_eq!(job.output.len(), count, "what results are added to");
                Output::new(job.output)
            }
            false => Output::with_room(job.output, count),
        });
    }
    let tasks: Vec<Task<'_>> = jobs
        .iter()
        .zip(&outputs)
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
    if threads == 1 || products < LEAST_FOR_THREADS {
        for task in &tasks {
            task.multiply(kernel, rows, 0..task.shape.panels());
        }
    } else {
        portions(&tasks, threads)
            .into_par_iter()
            .with_max_len(1)
            .for_each(|(task, panels)| task.multiply(kernel, rows, panels));
    }
    drop(tasks);
    for job in jobs {
        // SAFETY: there is room for them, and the panels together wrote all.
        unsafe { job.output.set_len(rows.rows * job.shape.outputs) };
    }
}

/// Cuts the panels of all tasks into portions for threads.
fn portions<'t, 'a>(tasks: &'t [Task<'a>], threads: usize) -> Vec<(&'t Task<'a>, Range<usize>)> {
    let panels: usize = tasks.iter().map(|task| task.shape.panels()).sum();
    let panel_words = tasks.iter().map(|task| task.shape.panel_words());
    let least = LEAST_PORTION_WORDS.div_ceil(panel_words.fold(1, usize::max));
    let size = panels
        .div_ceil(threads * PORTIONS)
        .max(least)
        .min(panels.div_ceil(threads));
    let of_task = |task: &'t Task<'a>| {
        let panels = task.shape.panels();
        (0..panels)
            .step_by(size)
            .map(move |first| (task, first..panels.min(first + size)))
    };
    tasks.iter().flat_map(of_task).collect()
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
        let chunk = (CHUNK_WORDS / (part_words * rows.block_rows).max(1)).max(1);
        // While there is another part to come, each block of a chunk keeps its sums.
        let kept = if parts.len() > 1 { chunk } else { 1 };
        let mut all_sums = vec![[0.0; LANES]; MOST_PANELS * rows.rows.min(kept * rows.block_rows)];
        let blocks = rows.rows.div_ceil(rows.block_rows);
        for first in (0..blocks).step_by(chunk) {
            let last = blocks.min(first + chunk);
            let is_alone = last - first == 1;
            let in_pairs = is_alone && kernel.has_pairs(rows.block_rows);
            for Group {
                panel,
                count,
                distance,
            } in groups(panels.clone(), in_pairs)
            {
                let words = PanelWords {
                    words: &self.words[panel * panel_words..],
                    panels: count,
                    stride: distance * panel_words,
                };
                for (index, part) in parts.iter().enumerate() {
                    let is_last = index + 1 == parts.len();
                    for block in first..last {
                        let first_row = block * rows.block_rows;
                        let block_rows = rows.block_rows.min(rows.rows - first_row);
                        let sums = (block - first) % kept * rows.block_rows;
                        let sums = &mut all_sums[sums..][..count * block_rows];
                        let turn = Turn {
                            block,
                            before: block - first,
                            is_alone,
                        };
                        let tile = Tile::new(*part, words, rows, turn, sums);
                        let columns = |index| {
                            let rows = [first_row, block_rows];
                            self.output
                                .columns(panel + index * distance, rows, self.shape.outputs)
                        };
                        if is_last {
                            (0..count).for_each(|index| columns(index).prefetch());
                        }
                        // SAFETY: the tile has these rows, which were prepared for this kernel, and panels.
                        unsafe { kernel.multiply([block_rows, count], &tile) };
                        if is_last {
                            let scales = &rows.scales[first_row..][..block_rows];
                            for (index, sums) in sums.chunks_exact(block_rows).enumerate() {
                                let columns = columns(index);
                                // SAFETY: there is room for all rows, and no other thread has these panels.
                                unsafe { kernel.finish(&self.epilogue, sums, scales, columns) };
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Panels that are multiplied at a time.
struct Group {
    /// The first panel.
    panel: usize,
    count: usize,
    /// From a panel to the next.
    distance: usize,
}

/// All panels, either one by one or in pairs. The panels of a pair are far apart, because two places in memory are read
/// the faster the farther they are from each other (measured up to 512 kB).
fn groups(panels: Range<usize>, in_pairs: bool) -> impl Iterator<Item = Group> {
    let half = if in_pairs { panels.len() / 2 } else { 0 };
    let rest = panels.start + 2 * half..panels.end;
    let pair = move |panel| Group {
        panel,
        count: 2,
        distance: half,
    };
    let single = |panel| Group {
        panel,
        count: 1,
        distance: 1,
    };
    (panels.start..panels.start + half)
        .map(pair)
        .chain(rest.map(single))
}
