//! Products of `f32` matrices of any layout, for training, where weights change with every update.

use std::cell::Cell;
use std::ops::Range;

use rayon::prelude::*;

use super::output::{Columns, Output};
use super::prefetch::prefetch_to_read;
use super::table::Kernel;
use super::tile::{Sums, Tile};
use super::vector::LINE_WORDS;
use crate::Activation;
use crate::epilogue::Epilogue;
use crate::shape::LANES;
use crate::spare;

/// A matrix in memory. Element `[row, column]` is at `row · strides[0] + column · strides[1]`, and one of the
/// strides is 1.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// Rows one after the other.
    ///
    /// # Panics
    /// If there are more or fewer values.
    pub(crate) fn new(values: &'a [f32], [rows, columns]: [usize; 2]) -> Self {
        assert_eq!(values.len(), rows * columns, "values of a matrix");
        Self {
            values,
            rows,
            columns,
            strides: [columns, 1],
        }
    }

    pub(crate) fn transposed(self) -> Self {
        let [rows, columns] = self.strides;
        Self {
            values: self.values,
            rows: self.columns,
            columns: self.rows,
            strides: [columns, rows],
        }
    }

    /// Some of the columns.
    pub(crate) fn columns(self, columns: Range<usize>) -> Self {
        assert!(columns.end <= self.columns, "columns of a matrix");
        Self {
            values: &self.values[(columns.start * self.strides[1]).min(self.values.len())..],
            columns: columns.len(),
            ..self
        }
    }

    /// The elements from this one on.
    #[inline(always)]
    fn from(&self, row: usize, column: usize) -> &'a [f32] {
        &self.values[row * self.strides[0] + column * self.strides[1]..]
    }
}

/// A matrix that another one is multiplied by, and what becomes of the product.
#[derive(Clone, Copy)]
pub(crate) struct Factor<'a> {
    pub(crate) matrix: Matrix<'a>,
    /// Added to each row.
    pub(crate) bias: Option<&'a [f32]>,
}

/// The products of a matrix and some factors next to each other.
pub(crate) struct Products {
    /// `[rows, columns of all factors]`
    pub(crate) values: Vec<f32>,
    /// The activations of the values, if there is one.
    pub(crate) activated: Option<Vec<f32>>,
}

/// `x [A, B, ..]`, plus biases and a residual of the size of the result.
///
/// # Panics
/// If sizes don't fit together.
pub(crate) fn multiply_joined(
    kernel: &Kernel,
    x: Matrix<'_>,
    factors: &[Factor<'_>],
    residual: Option<&[f32]>,
    activation: Option<Activation>,
) -> Products {
    let stride: usize = factors.iter().map(|factor| factor.matrix.columns).sum();
    let count = x.rows * stride;
    if let Some(residual) = residual {
        assert_eq!(residual.len(), count, "residual of a product");
    }
    let (mut values, mut activated) = (spare::take(count), Vec::new());
    let output = Output::with_room(&mut values, count);
    let activated_output = activation.map(|activation| {
        activated = spare::take(count);
        (activation, Output::with_room(&mut activated, count))
    });
    let mut first = 0;
    let jobs: Vec<Job<'_>> = factors
        .iter()
        .map(|factor| {
            if let Some(bias) = factor.bias {
                assert_eq!(bias.len(), factor.matrix.columns, "bias of a product");
            }
            let job = Job {
                stack: std::slice::from_ref(&factor.matrix),
                columns: factor.matrix.columns,
                bias: factor.bias,
                residual,
                activated: activated_output,
                output,
                stride,
                first,
            };
            first += job.columns;
            job
        })
        .collect();
    multiply(kernel, x, &jobs);
    // SAFETY: there is room for them, and all were written.
    unsafe { values.set_len(count) };
    let activated = activation.map(|_| {
        // SAFETY: as above.
        unsafe { activated.set_len(count) };
        activated
    });
    Products { values, activated }
}

/// The product of a matrix and of matrices one above the other.
///
/// # Panics
/// If sizes don't fit together.
pub(crate) fn multiply_stacked(kernel: &Kernel, x: Matrix<'_>, stack: &[Matrix<'_>]) -> Vec<f32> {
    let columns = stack.first().map_or(0, |matrix| matrix.columns);
    let mut values = spare::take(x.rows * columns);
    let output = Output::with_room(&mut values, x.rows * columns);
    multiply(kernel, x, &[Job::new(stack, columns, output)]);
    // SAFETY: there is room for them, and all were written.
    unsafe { values.set_len(x.rows * columns) };
    values
}

/// The products of a matrix and several others.
///
/// # Panics
/// If sizes don't fit together.
pub(crate) fn multiply_each(
    kernel: &Kernel,
    x: Matrix<'_>,
    factors: &[Matrix<'_>],
) -> Vec<Vec<f32>> {
    let room = |factor: &Matrix<'_>| spare::take(x.rows * factor.columns);
    let mut all: Vec<Vec<f32>> = factors.iter().map(room).collect();
    let jobs: Vec<Job<'_>> = factors
        .iter()
        .zip(&mut all)
        .map(|(factor, values)| {
            let output = Output::with_room(values, x.rows * factor.columns);
            Job::new(std::slice::from_ref(factor), factor.columns, output)
        })
        .collect();
    multiply(kernel, x, &jobs);
    for (factor, values) in factors.iter().zip(&mut all) {
        // SAFETY: there is room for them, and all were written.
        unsafe { values.set_len(x.rows * factor.columns) };
    }
    all
}

/// A product as threads share it.
#[derive(Clone, Copy)]
struct Job<'a> {
    /// Matrices one above the other.
    stack: &'a [Matrix<'a>],
    columns: usize,
    bias: Option<&'a [f32]>,
    /// Has the layout of the output.
    residual: Option<&'a [f32]>,
    /// Where activations go.
    activated: Option<(Activation, Output)>,
    output: Output,
    /// Elements from one row of the output to the next.
    stride: usize,
    /// The first column of the output.
    first: usize,
}

impl<'a> Job<'a> {
    fn new(stack: &'a [Matrix<'a>], columns: usize, output: Output) -> Self {
        Self {
            stack,
            columns,
            bias: None,
            residual: None,
            activated: None,
            output,
            stride: columns,
            first: 0,
        }
    }
}

/// The longest part of a sum that is computed at a time. The rows of a task and a panel, of such a part, fit
/// into the second cache.
const LONGEST_PART: usize = 1024;

/// Rows of a task: a multiple of the rows that each kernel takes at a time.
const TASK_ROWS: usize = 72;

/// The most panels of a task whose sums are computed in parts, and which keeps all of them until the end.
const MOST_PANELS: usize = 16;

/// Tasks per thread: while one thread is held up, the others take over what it has not begun.
const TASKS: usize = 4;

/// Below this many multiplications one thread is faster.
const LEAST_FOR_THREADS: usize = 1 << 18;

/// The panels of all jobs, and how their sums are cut into parts.
struct Plan<'a> {
    /// The job, and the number of the panel in it.
    panels: Vec<(&'a Job<'a>, usize)>,
    depth: usize,
    parts: usize,
    part_length: usize,
}

impl<'a> Plan<'a> {
    /// # Panics
    /// If sizes don't fit together.
    fn new(depth: usize, jobs: &'a [Job<'a>]) -> Self {
        let mut panels = Vec::new();
        for job in jobs {
            let rows: usize = job.stack.iter().map(|matrix| matrix.rows).sum();
            assert_eq!(rows, depth, "inner size of a product");
            let fits = job.stack.iter().all(|matrix| matrix.columns == job.columns);
            assert!(fits, "columns of a product");
            panels.extend((0..job.columns.div_ceil(LANES)).map(|panel| (job, panel)));
        }
        let parts = depth.div_ceil(LONGEST_PART).max(1);
        Self {
            panels,
            depth,
            parts,
            part_length: depth.div_ceil(parts),
        }
    }

    /// The terms of a part of the sums.
    fn part(&self, part: usize) -> Range<usize> {
        let start = (part * self.part_length).min(self.depth);
        start..self.depth.min(start + self.part_length)
    }
}

thread_local! {
    /// The packed panels of an earlier product. Memory that is fresh from the system costs a page fault per page.
    static SPARE_PANELS: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
    /// The memory of an earlier task.
    static SPARE_BUFFERS: Cell<Buffers> = const { Cell::new(Buffers::EMPTY) };
}

/// Bytes of a cache line.
const LINE_BYTES: usize = LINE_WORDS * size_of::<f32>();

/// How far ahead columns are prefetched while they are packed.
const STEPS_AHEAD: usize = 12;

/// Longer vectors are freed.
const MOST_SPARE: usize = 1 << 22;

/// Computes all products. A sum is always computed in the same order, whatever the number of threads.
fn multiply(kernel: &Kernel, x: Matrix<'_>, jobs: &[Job<'_>]) {
    let plan = Plan::new(x.columns, jobs);
    let panels = plan.panels.len();
    if panels == 0 || x.rows == 0 {
        return;
    }
    let threads = rayon::current_num_threads();
    let row_tasks = x.rows.div_ceil(TASK_ROWS);
    let groups = (threads * TASKS).div_ceil(row_tasks);
    let most = if plan.parts > 1 { MOST_PANELS } else { panels };
    let task_panels = panels.div_ceil(groups).clamp(1, most);
    let tasks: Vec<(Range<usize>, Range<usize>)> = (0..x.rows)
        .step_by(TASK_ROWS)
        .flat_map(|row| {
            let rows = row..x.rows.min(row + TASK_ROWS);
            let groups = (0..panels).step_by(task_panels);
            groups.map(move |first| (rows.clone(), first..panels.min(first + task_panels)))
        })
        .collect();

    let panel_values = plan.depth * LANES;
    let mut packed = SPARE_PANELS.take();
    if packed.len() < panels * panel_values + LINE_WORDS {
        packed.resize(panels * panel_values + LINE_WORDS, 0.0);
    }
    // A vector that is in two cache lines takes twice as long to load.
    let aligned = packed.as_ptr().align_offset(LINE_BYTES).min(LINE_WORDS);
    let all_packed = &mut packed[aligned..][..panels * panel_values];
    let pack = |(packed, (job, panel)): (&mut [f32], &(&Job<'_>, usize))| {
        pack_panel(kernel, job, *panel, packed);
    };
    let is_small = threads == 1 || x.rows * plan.depth * panels * LANES < LEAST_FOR_THREADS;
    if plan.depth > 0 {
        match is_small {
            true => all_packed
                .chunks_exact_mut(panel_values)
                .zip(&plan.panels)
                .for_each(pack),
            false => all_packed
                .par_chunks_exact_mut(panel_values)
                .zip(&plan.panels)
                .for_each(pack),
        }
    }
    let all_packed = &*all_packed;
    let one = |(rows, panels): (Range<usize>, Range<usize>)| {
        // SAFETY: each task has its own part of the outputs.
        unsafe { task(kernel, x, &plan, all_packed, rows, panels) };
    };
    match is_small {
        true => tasks.into_iter().for_each(one),
        false => tasks.into_par_iter().with_max_len(1).for_each(one),
    }
    if packed.len() <= MOST_SPARE {
        SPARE_PANELS.set(packed);
    }
}

/// The memory of a task.
#[derive(Default)]
struct Buffers {
    /// `[blocks, part, rows of a block]`
    rows: Vec<f32>,
    /// `[panels, rows]`, or if there is only one part the rows of a block.
    sums: Vec<Sums>,
}

impl Buffers {
    const EMPTY: Self = Self {
        rows: Vec::new(),
        sums: Vec::new(),
    };
}

/// Multiplies some rows by some panels.
///
/// # Safety
/// The outputs have room, and no other thread accesses these rows and columns of them.
unsafe fn task(
    kernel: &Kernel,
    x: Matrix<'_>,
    plan: &Plan<'_>,
    packed: &[f32],
    rows: Range<usize>,
    panels: Range<usize>,
) {
    let mut buffers = SPARE_BUFFERS.take();
    let blocks = rows.len().div_ceil(kernel.most_rows());
    let block_rows = rows.len().div_ceil(blocks);
    let scales = [1.0; LINE_WORDS];
    let kept = if plan.parts > 1 { rows.len() } else { 0 };
    let count = (kept * panels.len()).max(block_rows);
    if buffers.sums.len() < count {
        buffers.sums.resize(count, [0.0; LANES]);
    }
    if buffers.rows.len() < plan.part_length * rows.len() {
        buffers.rows.resize(plan.part_length * rows.len(), 0.0);
    }
    for part in 0..plan.parts {
        let depth = plan.part(part);
        let packed_rows = &mut buffers.rows[..depth.len() * rows.len()];
        pack_rows(
            kernel,
            x,
            rows.clone(),
            depth.clone(),
            block_rows,
            packed_rows,
        );
        for (index, panel) in panels.clone().enumerate() {
            let start = |panel| (panel * plan.depth + depth.start) * LANES;
            let words = &packed[start(panel)..][..depth.len() * LANES];
            let next = (panel + 1 < panels.end).then(|| &packed[start(panel + 1)..]);
            let (job, panel) = plan.panels[panel];
            for (block, first) in (0..rows.len()).step_by(block_rows).enumerate() {
                let count = block_rows.min(rows.len() - first);
                // The first two blocks fetch half of the next panel each, a line per step.
                let ahead = next
                    .filter(|_| block < 2)
                    .map(|next| next.as_ptr().wrapping_add(block * depth.len() * LINE_WORDS));
                let at = if kept > 0 { index * kept + first } else { 0 };
                let sums = &mut buffers.sums[at..at + count];
                if depth.is_empty() {
                    sums.fill([0.0; LANES]);
                } else {
                    let packed = &packed_rows[first * depth.len()..][..count * depth.len()];
                    let tile = Tile::of_floats(words, packed, part == 0, sums, ahead);
                    // SAFETY: the tile has as many rows as sums, and the kernel is one for `f32`.
                    unsafe { kernel.multiply_floats(count, &tile) };
                }
                if part + 1 == plan.parts {
                    // SAFETY: as the caller promises.
                    unsafe { finish(kernel, job, panel, rows.start + first, sums, &scales) };
                }
            }
        }
    }
    SPARE_BUFFERS.set(buffers);
}

/// Writes the sums of a block of rows and a panel.
///
/// # Safety
/// The outputs have room, and no other thread accesses these rows and columns of them.
unsafe fn finish(
    kernel: &Kernel,
    job: &Job<'_>,
    panel: usize,
    first_row: usize,
    sums: &[Sums],
    scales: &[f32],
) {
    let first = panel * LANES;
    let count = LANES.min(job.columns - first);
    let start = first_row * job.stride + job.first + first;
    let columns = |output| Columns::new(output, start, [sums.len(), job.stride], [first, count]);
    let mut epilogue = Epilogue {
        bias: job.bias,
        activation: None,
        is_added: job.residual.is_some(),
    };
    // SAFETY: as the caller promises; the scales are as many as the largest block has rows.
    unsafe {
        if let Some(residual) = job.residual {
            for row in 0..sums.len() {
                let at = start + row * job.stride;
                job.output.write(at, &residual[at..at + count]);
            }
        }
        kernel.finish(&epilogue, sums, &scales[..sums.len()], columns(job.output));
        if let Some((activation, output)) = job.activated {
            epilogue.activation = Some(activation);
            epilogue.is_added = false;
            kernel.finish(&epilogue, sums, &scales[..sums.len()], columns(output));
        }
    }
}

/// Interleaves the rows of blocks: `[blocks, depth, rows of a block]`.
fn pack_rows(
    kernel: &Kernel,
    x: Matrix<'_>,
    rows: Range<usize>,
    depth: Range<usize>,
    block_rows: usize,
    packed: &mut [f32],
) {
    if depth.is_empty() {
        return;
    }
    let block_values = block_rows * depth.len();
    if x.strides[0] == 1 {
        for (index, k) in depth.enumerate() {
            let values = &x.from(rows.start, k)[..rows.len()];
            // Processors don't prefetch across the pages that steps this long lead to.
            let ahead = values.as_ptr().wrapping_add(STEPS_AHEAD * x.strides[1]);
            for line in (0..rows.len()).step_by(LINE_WORDS) {
                prefetch_to_read(ahead.wrapping_add(line));
            }
            let blocks = values
                .chunks(block_rows)
                .zip(packed.chunks_mut(block_values));
            for (values, packed) in blocks {
                copy(values, &mut packed[index * values.len()..][..values.len()]);
            }
        }
        return;
    }
    let blocks = rows
        .step_by(block_rows)
        .zip(packed.chunks_mut(block_values));
    for (first, packed) in blocks {
        let count = packed.len() / depth.len();
        let values = (x.from(first, depth.start), x.strides[0]);
        kernel.interleave(values, [count, depth.len()], (packed, count));
    }
}

/// Packs a panel: `[depth, LANES]`, with zeros after the last column.
fn pack_panel(kernel: &Kernel, job: &Job<'_>, panel: usize, mut packed: &mut [f32]) {
    let first = panel * LANES;
    let count = LANES.min(job.columns - first);
    if count < LANES {
        packed.fill(0.0);
    }
    for matrix in job.stack {
        let (of_matrix, rest) = std::mem::take(&mut packed).split_at_mut(matrix.rows * LANES);
        packed = rest;
        if matrix.rows == 0 {
            continue;
        }
        if matrix.strides[1] == 1 {
            for (row, packed) in of_matrix.chunks_exact_mut(LANES).enumerate() {
                let values = matrix.from(row, first);
                let ahead = values
                    .as_ptr()
                    .wrapping_add(STEPS_AHEAD * matrix.strides[0]);
                for line in 0..3 {
                    prefetch_to_read(ahead.wrapping_add(line * LINE_WORDS));
                }
                copy(values, &mut packed[..count]);
            }
            continue;
        }
        for half in (0..count).step_by(LINE_WORDS) {
            let lanes = LINE_WORDS.min(count - half);
            let values = (matrix.from(0, first + half), matrix.strides[1]);
            let target = (&mut of_matrix[half..], LANES);
            kernel.interleave(values, [lanes, matrix.rows], target);
        }
    }
}

/// Copies as many values as there is room for, without a call where the number is a usual one.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    match to.len() {
        LANES => copy_array::<LANES>(from, to),
        LINE_WORDS => copy_array::<LINE_WORDS>(from, to),
        12 => copy_array::<12>(from, to),
        3 => copy_array::<3>(from, to),
        2 => copy_array::<2>(from, to),
        count => to.copy_from_slice(&from[..count]),
    }
}

#[inline(always)]
fn copy_array<const N: usize>(from: &[f32], to: &mut [f32]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<N>(), to.first_chunk_mut::<N>()) {
        *to = *from;
    }
}
