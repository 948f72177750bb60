//! What training needs besides products of matrices, on all threads. Results don't depend on the number of
//! threads: sums over rows are those of parts of fixed size.

use rayon::prelude::*;

use super::attention_gradient::{Attending, HeadTask, HeadsOutput, padded};
use super::norm::Norm;
use super::output::Output;
use super::table::Kernel;
use crate::{Activation, spare};

/// Rows of a part.
const PART_ROWS: usize = 64;

/// Below this many values one thread is faster.
const LEAST_FOR_THREADS: usize = 1 << 15;

/// Calls a function with the number of each part, on all threads if there are many values.
fn for_each_part(parts: usize, values: usize, one: impl Fn(usize) + Sync + Send) {
    if values < LEAST_FOR_THREADS {
        (0..parts).for_each(one);
    } else {
        (0..parts).into_par_iter().for_each(one);
    }
}

/// The sums of all parts, `[parts, width]`, part by part.
fn total(parts: &[f32], width: usize) -> Vec<f32> {
    let mut total = vec![0.0; width];
    for part in parts.chunks_exact(width.max(1)) {
        for (total, value) in total.iter_mut().zip(part) {
            *total += value;
        }
    }
    total
}

/// Multiplies the gradient of activated rows by the derivative of the activation, if there is one, and sums the
/// rows.
///
/// # Shapes
/// - activated: the rows before the activation, `[rows, width]`
/// - gradient: `[rows, width]`
/// - output: `[rows, width]`, `[width]`
///
/// # Panics
/// If there are fewer or more values than gradients.
pub(crate) fn activation_gradient(
    kernel: &Kernel,
    activated: Option<(Activation, &[f32])>,
    gradient: &[f32],
    width: usize,
) -> (Option<Vec<f32>>, Vec<f32>) {
    if let Some((_, values)) = activated {
        assert_eq!(values.len(), gradient.len(), "values of an activation");
    }
    let part = PART_ROWS * width.max(1);
    let parts = gradient.len().div_ceil(part);
    let mut sums = vec![0.0; parts * width];
    let count = activated.map_or(0, |_| gradient.len());
    let mut result = spare::take(count);
    let output = Output::with_room(&mut result, count);
    let sums_output = Output::new(&mut sums);
    for_each_part(parts, gradient.len(), |index| {
        let start = index * part;
        let gradient = &gradient[start..gradient.len().min(start + part)];
        // SAFETY: each part is written once.
        unsafe {
            let activated = activated.map(|(activation, values)| {
                let values = &values[start..][..gradient.len()];
                (activation, values, output.at(start))
            });
            let sums = std::slice::from_raw_parts_mut(sums_output.at(index * width), width);
            (kernel.training.activation_gradient)(activated, gradient, sums);
        }
    });
    // SAFETY: there is room for them, and the parts together wrote all.
    unsafe { result.set_len(count) };
    (activated.map(|_| result), total(&sums, width))
}

/// The gradients of normalised rows: of the rows, of the scale and of the shift.
///
/// # Shapes
/// - values, gradient: `[rows, width]`
/// - output: `[rows, width]`, `[width]`, `[width]`
///
/// # Panics
/// If `width` is not the width of the norm, or if there are fewer or more values than gradients.
pub(crate) fn norm_gradient(
    kernel: &Kernel,
    norm: Norm<'_>,
    values: &[f32],
    gradient: &[f32],
    width: usize,
) -> [Vec<f32>; 3] {
    norm.check(width);
    assert_eq!(values.len(), gradient.len(), "values of a norm");
    let part = PART_ROWS * width.max(1);
    let parts = gradient.len().div_ceil(part);
    let mut sums = [vec![0.0; parts * width], vec![0.0; parts * width]];
    let sums_outputs = sums.each_mut().map(|sums| Output::new(sums));
    let mut result = spare::take(gradient.len());
    let output = Output::with_room(&mut result, gradient.len());
    for_each_part(parts, gradient.len(), |index| {
        let start = index * part;
        let gradient = &gradient[start..gradient.len().min(start + part)];
        let values = &values[start..][..gradient.len()];
        // SAFETY: each part is written once.
        unsafe {
            let sums = sums_outputs
                .map(|sums| std::slice::from_raw_parts_mut(sums.at(index * width), width));
            (kernel.training.norm_gradient)(&norm, values, gradient, output.at(start), sums);
        }
    });
    // SAFETY: there is room for them, and the parts together wrote all.
    unsafe { result.set_len(gradient.len()) };
    let [gamma, beta] = sums.map(|sums| total(&sums, width));
    [result, gamma, beta]
}

/// Calls a function for each head of each item, on all threads.
fn for_each_head(attending: &Attending<'_>, one: impl Fn(HeadTask<'_>) + Sync + Send) {
    let heads = attending.heads;
    let one = |buffer: &mut Vec<f32>, index: usize| {
        one(HeadTask {
            item: index / heads,
            head: index % heads,
            buffer,
        });
    };
    let all = 0..attending.batch * heads;
    if all.len() * attending.queries * attending.length < LEAST_FOR_THREADS {
        let mut buffer = Vec::new();
        all.for_each(|index| one(&mut buffer, index));
    } else {
        let portion = all.len().div_ceil(8 * rayon::current_num_threads());
        all.into_par_iter()
            .with_min_len(portion)
            .for_each_init(Vec::new, one);
    }
}

impl Attending<'_> {
    /// # Panics
    /// If queries, keys, values or the mask are too short.
    fn check(&self) {
        let width = self.width();
        for (heads, positions) in [
            (self.query, self.queries),
            (self.keys, self.length),
            (self.values, self.length),
        ] {
            let rows = self.batch * positions;
            assert!(
                rows == 0
                    || heads.first + width <= heads.stride
                        && heads.values.len() >= rows * heads.stride,
                "sizes of attention"
            );
        }
        if let Some(mask) = self.mask {
            assert!(
                [1, self.batch].contains(&mask.items) && [1, self.queries].contains(&mask.queries),
                "shape of a mask"
            );
            let count = mask.items * mask.queries * self.length;
            assert_eq!(mask.hidden.len(), count, "elements of a mask");
        }
    }

    fn weights(&self) -> usize {
        self.batch * self.heads * self.queries * padded(self.length)
    }
}

/// Attends, and keeps the weights for [`attention_gradient`]: `[batch · queries, width]` and the weights.
///
/// # Panics
/// If sizes don't fit together.
pub(crate) fn attend_keeping(kernel: &Kernel, attending: &Attending<'_>) -> [Vec<f32>; 2] {
    attending.check();
    let counts = [
        attending.batch * attending.queries * attending.width(),
        attending.weights(),
    ];
    let mut results = counts.map(spare::take);
    let [context, weights] = &mut results;
    let context = Output::with_room(context, counts[0]);
    let weights = Output::with_room(weights, counts[1]);
    for_each_head(attending, |task| {
        // SAFETY: each head of each item is attended with once.
        unsafe { (kernel.training.attend)(attending, task, context, weights) };
    });
    for (result, count) in results.iter_mut().zip(counts) {
        // SAFETY: there is room for them, and the heads together wrote all.
        unsafe { result.set_len(count) };
    }
    results
}

/// Where gradients of queries, keys or values go: from column `first` on in rows of buffer `buffer`, which are
/// `stride` long.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) buffer: usize,
    pub(crate) first: usize,
    pub(crate) stride: usize,
}

/// The gradients of queries, keys and values, in buffers of these sizes.
///
/// # Panics
/// If sizes don't fit together.
pub(crate) fn attention_gradient(
    kernel: &Kernel,
    attending: &Attending<'_>,
    weights: &[f32],
    gradient: &[f32],
    targets: [Target; 3],
    sizes: &[usize],
) -> Vec<Vec<f32>> {
    attending.check();
    let width = attending.width();
    let count = attending.batch * attending.queries * width;
    assert_eq!(gradient.len(), count, "gradient of attention");
    assert_eq!(weights.len(), attending.weights(), "weights of attention");
    let mut buffers: Vec<Vec<f32>> = Vec::new();
    for (buffer, size) in sizes.iter().enumerate() {
        let own = targets.iter().filter(|target| target.buffer == buffer);
        let mut firsts: Vec<usize> = own.clone().map(|target| target.first).collect();
        firsts.sort_unstable();
        let are_apart = firsts.windows(2).all(|pair| pair[1] - pair[0] >= width);
        assert!(are_apart, "gradients in the same columns");
        let columns = firsts.len() * width;
        let stride = own.map(|target| target.stride).max().unwrap_or(0);
        // All of it is written if the targets, which are apart, cover the columns.
        buffers.push(match columns == stride {
            true => spare::take(*size),
            false => vec![0.0; *size],
        });
    }
    let positions = [attending.queries, attending.length, attending.length];
    for (target, positions) in targets.iter().zip(positions) {
        let count = attending.batch * positions * target.stride;
        assert_eq!(sizes[target.buffer], count, "size of a gradient");
        assert!(
            target.first + width <= target.stride,
            "columns of a gradient"
        );
    }
    let outputs: Vec<Output> = buffers.iter_mut().map(Output::new_in).collect();
    let outputs = targets.map(|target| HeadsOutput {
        output: outputs[target.buffer],
        first: target.first,
        stride: target.stride,
    });
    for_each_head(attending, |task| {
        // SAFETY: each head of each item is done once.
        unsafe {
            (kernel.training.attend_backward)(attending, task, weights, gradient, outputs);
        }
    });
    for (buffer, size) in buffers.iter_mut().zip(sizes) {
        // SAFETY: there is room for them, and all was written, here or before.
        unsafe { buffer.set_len(*size) };
    }
    buffers
}

/// The cross-entropy of each row of scores and its target, and the logarithms of the sums of exponentials that
/// [`cross_entropy_gradient`] needs. With smoothing, a target has the probability `1 - smoothing`, and all
/// tokens share the rest.
///
/// # Shapes
/// - scores: `[rows, vocabulary]`
/// - targets, outputs: `[rows]`
///
/// # Panics
/// If there aren't as many targets as rows, or if one is not in the vocabulary.
pub(crate) fn cross_entropy(
    kernel: &Kernel,
    scores: &[f32],
    targets: &[u32],
    smoothing: f32,
) -> [Vec<f32>; 2] {
    let vocabulary = scores.len() / targets.len().max(1);
    assert_eq!(scores.len(), targets.len() * vocabulary, "scores");
    let one = |(scores, target): (&[f32], &u32)| {
        // SAFETY: a kernel is only called where the processor has its instructions.
        let [log_sum, sum] = unsafe { (kernel.training.log_sum)(scores) };
        let of_target = (1.0 - smoothing) * scores[*target as usize];
        let loss = match smoothing == 0.0 {
            true => log_sum - of_target,
            false => log_sum - of_target - smoothing / vocabulary as f32 * sum,
        };
        (loss, log_sum)
    };
    let (losses, log_sums) = match scores.len() < LEAST_FOR_THREADS {
        true => scores
            .chunks_exact(vocabulary.max(1))
            .zip(targets)
            .map(one)
            .unzip(),
        false => {
            let rows = scores.par_chunks_exact(vocabulary).zip(targets);
            rows.with_min_len(8).map(one).unzip()
        }
    };
    [losses, log_sums]
}

/// The gradient of scores, given that of each row's cross-entropy.
///
/// # Shapes
/// - scores, output: `[rows, vocabulary]`
/// - targets, log sums, gradient: `[rows]`
pub(crate) fn cross_entropy_gradient(
    kernel: &Kernel,
    scores: &[f32],
    targets: &[u32],
    smoothing: f32,
    log_sums: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    let rows = targets.len();
    let vocabulary = scores.len() / rows.max(1);
    assert_eq!(scores.len(), rows * vocabulary, "scores");
    assert_eq!(
        [log_sums.len(), gradient.len()],
        [rows; 2],
        "rows of scores"
    );
    let mut result = spare::take(scores.len());
    let output = Output::with_room(&mut result, scores.len());
    for_each_part(rows, scores.len(), |row| {
        let scores = &scores[row * vocabulary..][..vocabulary];
        let factor = gradient[row];
        let summand = -factor * smoothing / vocabulary as f32;
        // SAFETY: each row is written once; targets were checked to be in the vocabulary.
        unsafe {
            let result = output.at(row * vocabulary);
            (kernel.training.probabilities)(scores, [log_sums[row], factor, summand], result);
            let target = targets[row] as usize;
            assert!(target < vocabulary, "a target is not in the vocabulary");
            *result.add(target) -= factor * (1.0 - smoothing);
        }
    });
    // SAFETY: there is room for them, and all rows were written.
    unsafe { result.set_len(scores.len()) };
    result
}
