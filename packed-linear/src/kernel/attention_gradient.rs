//! Attention that keeps its weights, and its gradients.

use super::output::Output;
use super::softmax::softmax;
use super::vector::{LINE_WORDS, Vector, blocks};

/// Queries, keys or values in memory: those of position `p` of item `i` and of all heads, one head after the
/// other, start at `first + (i · positions + p) · stride`.
#[derive(Clone, Copy)]
pub(crate) struct Heads<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) first: usize,
    pub(crate) stride: usize,
}

/// Queries, and what they attend to.
#[derive(Clone, Copy)]
pub(crate) struct Attending<'a> {
    pub(crate) query: Heads<'a>,
    pub(crate) keys: Heads<'a>,
    pub(crate) values: Heads<'a>,
    pub(crate) batch: usize,
    pub(crate) heads: usize,
    pub(crate) head_width: usize,
    /// Queries of an item.
    pub(crate) queries: usize,
    /// Keys of an item.
    pub(crate) length: usize,
    pub(crate) mask: Option<Mask<'a>>,
}

/// Which keys are hidden from which queries.
#[derive(Clone, Copy)]
pub(crate) struct Mask<'a> {
    /// `[items, queries, length]`, not 0 = hidden. Items and queries may be 1: the same for all.
    pub(crate) hidden: &'a [u8],
    pub(crate) items: usize,
    pub(crate) queries: usize,
}

/// A head of an item, and memory for intermediate results.
pub(super) struct HeadTask<'a> {
    pub(super) item: usize,
    pub(super) head: usize,
    pub(super) buffer: &'a mut Vec<f32>,
}

/// Where gradients of queries, keys or values go; see [`Heads`].
#[derive(Clone, Copy)]
pub(super) struct HeadsOutput {
    pub(super) output: Output,
    pub(super) first: usize,
    pub(super) stride: usize,
}

/// The length of a row of weights in memory: whole cache lines.
pub(crate) fn padded(length: usize) -> usize {
    length.next_multiple_of(LINE_WORDS)
}

impl Attending<'_> {
    /// The width of all heads.
    pub(super) fn width(&self) -> usize {
        self.heads * self.head_width
    }

    #[inline(always)]
    fn scale(&self) -> f32 {
        (self.head_width as f32).sqrt().recip()
    }

    /// Which keys are hidden from a query.
    #[inline(always)]
    fn hidden(&self, item: usize, query: usize) -> Option<&[u8]> {
        let mask = self.mask?;
        let item = item.min(mask.items - 1);
        let row = item * mask.queries + query.min(mask.queries - 1);
        Some(&mask.hidden[row * self.length..][..self.length])
    }
}

impl Heads<'_> {
    /// The first element of a head of an item.
    #[inline(always)]
    fn head(&self, attending: &Attending<'_>, task: [usize; 2], positions: usize) -> &[f32] {
        let [item, head] = task;
        let start = self.first + item * positions * self.stride + head * attending.head_width;
        &self.values[start..]
    }
}

/// Attends as one head. Writes the context, `[batch · queries, width]`, and the weights, `[batch, heads,
/// queries, padded length]`, which are 0 at hidden keys and in the padding.
///
/// A query whose keys are all hidden takes the mean of all values.
///
/// # Safety
/// The processor has the instructions of the vector. There is room for the outputs, and no other thread
/// accesses those of this head.
#[inline(always)]
pub(super) unsafe fn attend<V: Vector>(
    attending: &Attending<'_>,
    task: HeadTask<'_>,
    context: Output,
    weights: Output,
) {
    let &Attending {
        heads,
        head_width,
        queries,
        length,
        ..
    } = attending;
    let HeadTask { item, head, buffer } = task;
    let (padded, padded_width) = (padded(length), padded(head_width));
    let sizes = [
        head_width * padded,
        length * padded_width,
        queries * padded_width,
    ];
    let [keys, values, contexts] = split(buffer, sizes);
    let query = attending.query.head(attending, [item, head], queries);
    let source = attending.keys.head(attending, [item, head], length);
    transpose(
        source,
        attending.keys.stride,
        [length, head_width],
        keys,
        padded,
    );
    let source = attending.values.head(attending, [item, head], length);
    gather(
        source,
        attending.values.stride,
        [length, head_width],
        values,
        padded_width,
    );
    // SAFETY: as the caller promises; buffers have the sizes above.
    unsafe {
        let first = (item * heads + head) * queries * padded;
        let scores = std::slice::from_raw_parts_mut(weights.at(first), queries * padded);
        let left = Left::rows(query, attending.query.stride);
        multiply::<V>(left, [queries, head_width], (keys, padded), scores);
        let scale = V::splat(attending.scale());
        for (row, scores) in scores.chunks_exact_mut(padded).enumerate() {
            let mut at = 0;
            while at < padded {
                let score = scores.as_mut_ptr().add(at);
                V::load(score).multiply(scale).store(score);
                at += V::WIDTH;
            }
            let hidden = attending.hidden(item, row);
            let is_blind = hidden.is_some_and(|hidden| hidden.iter().all(|hidden| *hidden != 0));
            if is_blind {
                scores[..length].fill(1.0 / length as f32);
            } else {
                if let Some(hidden) = hidden {
                    for (score, hidden) in scores.iter_mut().zip(hidden) {
                        if *hidden != 0 {
                            *score = f32::MIN;
                        }
                    }
                }
                softmax::<V>(scores, length);
                if let Some(hidden) = hidden {
                    for (score, hidden) in scores.iter_mut().zip(hidden) {
                        if *hidden != 0 {
                            *score = 0.0;
                        }
                    }
                }
            }
            scores[length..].fill(0.0);
        }
        let left = Left::rows(scores, padded);
        multiply::<V>(left, [queries, length], (values, padded_width), contexts);
        let width = attending.width();
        let output = HeadsOutput {
            output: context,
            first: 0,
            stride: width,
        };
        scatter(contexts, [queries, head_width], output, [item, head]);
    }
}

/// The gradients of one head's queries, keys and values.
///
/// # Shapes
/// - weights: those that [`attend`] wrote
/// - gradient: that of the context, `[batch · queries, width]`
///
/// # Safety
/// The processor has the instructions of the vector. There is room for the outputs, and no other thread
/// accesses those of this head.
#[inline(always)]
pub(super) unsafe fn attend_backward<V: Vector>(
    attending: &Attending<'_>,
    task: HeadTask<'_>,
    weights: &[f32],
    gradient: &[f32],
    outputs: [HeadsOutput; 3],
) {
    let &Attending {
        heads,
        head_width,
        queries,
        length,
        ..
    } = attending;
    let HeadTask { item, head, buffer } = task;
    let (padded, padded_width) = (padded(length), padded(head_width));
    let most = queries.max(length);
    let sizes = [
        head_width * padded,
        most * padded_width,
        queries * padded_width,
        queries * padded,
        most * padded_width,
    ];
    let [transposed, operand, gradients, scores, result] = split(buffer, sizes);
    let first = (item * heads + head) * queries * padded;
    let weights = &weights[first..][..queries * padded];
    let width = attending.width();
    let context = Heads {
        values: gradient,
        first: 0,
        stride: width,
    };
    let context = context.head(attending, [item, head], queries);
    gather(
        context,
        width,
        [queries, head_width],
        gradients,
        padded_width,
    );
    let values = attending.values.head(attending, [item, head], length);
    transpose(
        values,
        attending.values.stride,
        [length, head_width],
        transposed,
        padded,
    );
    // SAFETY: as the caller promises; buffers have the sizes above.
    unsafe {
        let task = [item, head];
        // Of the values: the transposed weights times the gradient.
        let left = Left::columns(weights, padded);
        multiply::<V>(left, [length, queries], (gradients, padded_width), result);
        scatter(result, [length, head_width], outputs[2], task);
        // Of the weights, then of the scores.
        let left = Left::rows(gradients, padded_width);
        multiply::<V>(left, [queries, head_width], (transposed, padded), scores);
        let scale = V::splat(attending.scale());
        let rows = scores
            .chunks_exact_mut(padded)
            .zip(weights.chunks_exact(padded));
        for (row, (scores, weights)) in rows.enumerate() {
            if let Some(hidden) = attending.hidden(item, row)
                && hidden.iter().all(|hidden| *hidden != 0)
            {
                scores.fill(0.0);
                continue;
            }
            let mean = V::splat(-V::dot(scores, weights));
            let mut at = 0;
            while at < padded {
                let score = scores.as_mut_ptr().add(at);
                let weight = V::load(weights.as_ptr().add(at)).multiply(scale);
                V::load(score).add(mean).multiply(weight).store(score);
                at += V::WIDTH;
            }
        }
        // Of the queries: the scores' gradient times the keys.
        let keys = attending.keys.head(attending, task, length);
        gather(
            keys,
            attending.keys.stride,
            [length, head_width],
            operand,
            padded_width,
        );
        let left = Left::rows(scores, padded);
        multiply::<V>(left, [queries, length], (operand, padded_width), result);
        scatter(result, [queries, head_width], outputs[0], task);
        // Of the keys: the transposed scores' gradient times the queries.
        let query = attending.query.head(attending, task, queries);
        gather(
            query,
            attending.query.stride,
            [queries, head_width],
            operand,
            padded_width,
        );
        let left = Left::columns(scores, padded);
        multiply::<V>(left, [length, queries], (operand, padded_width), result);
        scatter(result, [length, head_width], outputs[1], task);
    }
}

/// Cuts a buffer into pieces.
fn split<const N: usize>(buffer: &mut Vec<f32>, sizes: [usize; N]) -> [&mut [f32]; N] {
    buffer.resize(buffer.len().max(sizes.iter().sum()), 0.0);
    let mut rest = buffer.as_mut_slice();
    sizes.map(|size| {
        let (piece, after) = std::mem::take(&mut rest).split_at_mut(size);
        rest = after;
        piece
    })
}

/// Copies rows that are `stride` apart to rows that are `padded` long, with zeros at their ends.
#[inline(always)]
fn gather(from: &[f32], stride: usize, [rows, width]: [usize; 2], to: &mut [f32], padded: usize) {
    for row in 0..rows {
        let to = &mut to[row * padded..][..padded];
        to[..width].copy_from_slice(&from[row * stride..][..width]);
        to[width..].fill(0.0);
    }
}

/// Copies rows that are `stride` apart to columns, in rows that are `padded` long, with zeros at their ends.
#[inline(always)]
fn transpose(
    from: &[f32],
    stride: usize,
    [rows, width]: [usize; 2],
    to: &mut [f32],
    padded: usize,
) {
    for row in 0..rows {
        let from = &from[row * stride..][..width];
        for column in 0..width {
            to[column * padded + row] = from[column];
        }
    }
    for to in to.chunks_exact_mut(padded) {
        to[rows..].fill(0.0);
    }
}

/// Copies padded rows to where they belong.
///
/// # Safety
/// There is room, and no other thread accesses this head.
#[inline(always)]
unsafe fn scatter(
    from: &[f32],
    [rows, width]: [usize; 2],
    output: HeadsOutput,
    [item, head]: [usize; 2],
) {
    let start = output.first + item * rows * output.stride + head * width;
    for (row, from) in from.chunks_exact(padded(width)).take(rows).enumerate() {
        // SAFETY: as the caller promises.
        unsafe {
            output
                .output
                .write(start + row * output.stride, &from[..width])
        };
    }
}

/// The left matrix of a product: element `[row, k]` is at `row · row_stride + k · k_stride`.
#[derive(Clone, Copy)]
struct Left {
    values: *const f32,
    row_stride: usize,
    k_stride: usize,
}

impl Left {
    /// Rows that are `stride` apart.
    fn rows(values: &[f32], stride: usize) -> Self {
        Self {
            values: values.as_ptr(),
            row_stride: stride,
            k_stride: 1,
        }
    }

    /// The transposed matrix of rows that are `stride` apart.
    fn columns(values: &[f32], stride: usize) -> Self {
        Self {
            values: values.as_ptr(),
            row_stride: 1,
            k_stride: stride,
        }
    }
}

/// Rows that are multiplied at a time.
const ROWS: usize = 4;

/// The product of a matrix `[rows, depth]` and one of `depth` rows that are `columns` apart, whole vectors.
///
/// # Safety
/// The processor has the instructions of the vector, and the matrices have these sizes.
#[inline(always)]
unsafe fn multiply<V: Vector>(
    left: Left,
    [rows, depth]: [usize; 2],
    (right, columns): (&[f32], usize),
    result: &mut [f32],
) {
    assert!(right.len() >= depth * columns && result.len() >= rows * columns);
    for first in (0..rows).step_by(ROWS) {
        let mut at = 0;
        // SAFETY: as the caller promises; the lengths were checked. If fewer rows are left, the last is
        // computed several times.
        unsafe {
            let row = |place: usize| (first + place).min(rows - 1);
            let start = |place: usize| left.values.add(row(place) * left.row_stride);
            let starts: [*const f32; ROWS] = std::array::from_fn(start);
            while at + 2 * V::WIDTH <= columns {
                let right = right.as_ptr().add(at);
                let sums = block::<V, 2>(starts, left.k_stride, depth, right, columns);
                for place in 0..ROWS {
                    let result = result.as_mut_ptr().add(row(place) * columns + at);
                    sums[place][0].store(result);
                    sums[place][1].store(result.add(V::WIDTH));
                }
                at += 2 * V::WIDTH;
            }
            while at < columns {
                let right = right.as_ptr().add(at);
                let sums = block::<V, 1>(starts, left.k_stride, depth, right, columns);
                for place in 0..ROWS {
                    let result = result.as_mut_ptr().add(row(place) * columns + at);
                    sums[place][0].store(result);
                }
                at += V::WIDTH;
            }
        }
    }
}

/// Some rows times `N` vectors of columns.
///
/// # Safety
/// The processor has the instructions of the vector, and the pointers are to matrices of `depth`.
#[inline(always)]
unsafe fn block<V: Vector, const N: usize>(
    rows: [*const f32; ROWS],
    k_stride: usize,
    depth: usize,
    right: *const f32,
    columns: usize,
) -> [[V; N]; ROWS] {
    // SAFETY: as the caller promises.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; ROWS];
        for part in blocks(depth) {
            let mut part_sums = [[V::splat(0.0); N]; ROWS];
            for k in part {
                let mut vectors = [V::splat(0.0); N];
                for vector in 0..N {
                    vectors[vector] = V::load(right.add(k * columns + vector * V::WIDTH));
                }
                for row in 0..ROWS {
                    let value = V::splat(*rows[row].add(k * k_stride));
                    for vector in 0..N {
                        part_sums[row][vector] =
                            value.multiply_add(vectors[vector], part_sums[row][vector]);
                    }
                }
            }
            for row in 0..ROWS {
                for vector in 0..N {
                    sums[row][vector] = sums[row][vector].add(part_sums[row][vector]);
                }
            }
        }
        sums
    }
}
