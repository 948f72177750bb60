use rayon::prelude::*;

use super::norm::Norm;
use super::output::Output;
use super::table::Kernel;
use crate::spare;

/// Fewer values are normalised on one thread.
const LEAST_FOR_THREADS: usize = 1 << 15;

/// Normalises rows of `width` values.
///
/// # Panics
/// If `width` is not the width of the norm.
pub(crate) fn normalise(kernel: &Kernel, norm: Norm<'_>, values: &[f32], width: usize) -> Vec<f32> {
    norm.check(width);
    let mut output = spare::take(values.len());
    if width == 0 {
        return output;
    }
    let normed = Output::with_room(&mut output, values.len());
    let one = |(index, row): (usize, &[f32])| {
        // SAFETY: there is room for all rows, and each is normalised once.
        unsafe { kernel.normalise(&norm, row, normed.at(index * width)) }
    };
    let rows = values.len() / width;
    if values.len() < LEAST_FOR_THREADS {
        values.chunks_exact(width).enumerate().for_each(one);
    } else {
        let least_rows = (LEAST_FOR_THREADS / 2).div_ceil(width);
        values
            .par_chunks_exact(width)
            .enumerate()
            .with_min_len(least_rows)
            .for_each(one);
    }
    // SAFETY: there is room for them, and all rows were written.
    unsafe { output.set_len(rows * width) };
    output
}
