use std::ops::Range;

use super::check_area;
use super::filter::Kernel;
use super::taps::{PRECISION_BITS, Taps};
use crate::Error;
use crate::image::RgbImage;

/// One half in fixed point: added before the shift, it rounds to the nearest level.
const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// Both passes for the `[rows, columns]` of `window` out of `target` (`[height, width]`): `[rows, columns, 3]`.
pub(super) fn convolve(
    image: &RgbImage,
    target: [usize; 2],
    window: [Range<usize>; 2],
    kernel: &Kernel,
) -> Result<Vec<u8>, Error> {
    let [height, width] = target;
    let [rows, columns] = window;
    let vertical = (image.height() as usize != height)
        .then(|| Taps::new(kernel, image.height() as usize, height, rows.clone()));
    // The horizontal pass makes no row that the vertical one would not read.
    let source_rows = match &vertical {
        Some(taps) => taps.input_range(),
        None => rows,
    };
    check_area(source_rows.len(), columns.len())?;
    let source = image.rows(source_rows.clone());
    let stride = image.width() as usize * 3;
    let narrowed = if image.width() as usize == width {
        copy_columns(source, stride, &columns)
    } else {
        let taps = Taps::new(kernel, image.width() as usize, width, columns.clone());
        horizontal(source, stride, &taps)
    };
    Ok(match vertical {
        Some(taps) => self::vertical(&narrowed, columns.len() * 3, source_rows.start, &taps),
        None => narrowed,
    })
}

/// The columns of every row, unchanged: a side that keeps its length is not filtered.
fn copy_columns(source: &[u8], stride: usize, columns: &Range<usize>) -> Vec<u8> {
    let bytes = columns.start * 3..columns.end * 3;
    source
        .chunks_exact(stride)
        .flat_map(|row| &row[bytes.clone()])
        .copied()
        .collect()
}

/// `[rows, input width, 3]` -> `[rows, taps, 3]`.
fn horizontal(source: &[u8], stride: usize, taps: &Taps) -> Vec<u8> {
    let mut result = vec![0; source.len() / stride * taps.len() * 3];
    let rows = source.chunks_exact(stride);
    for (output, row) in result.chunks_exact_mut(taps.len() * 3).zip(rows) {
        for (index, pixel) in output.chunks_exact_mut(3).enumerate() {
            let (start, weights) = taps.get(index);
            let mut sums = [HALF; 3];
            for (input, weight) in row[start * 3..].chunks_exact(3).zip(weights) {
                for (sum, value) in sums.iter_mut().zip(input) {
                    *sum += i32::from(*value) * weight;
                }
            }
            for (value, sum) in pixel.iter_mut().zip(sums) {
                *value = to_level(sum);
            }
        }
    }
    result
}

/// `[input rows, stride]` -> `[taps, stride]`; `source` starts with input row `first`.
fn vertical(source: &[u8], stride: usize, first: usize, taps: &Taps) -> Vec<u8> {
    let mut result = vec![0; taps.len() * stride];
    let mut sums = vec![0; stride];
    for (index, output) in result.chunks_exact_mut(stride).enumerate() {
        let (start, weights) = taps.get(index);
        sums.fill(HALF);
        // A whole row at a time: neighbouring bytes have the same weight, so this is one long vector loop.
        let rows = source[(start - first) * stride..].chunks_exact(stride);
        for (row, weight) in rows.zip(weights) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += i32::from(*value) * weight;
            }
        }
        for (value, sum) in output.iter_mut().zip(&sums) {
            *value = to_level(*sum);
        }
    }
    result
}

/// Fixed point to a grey level; cubic and sinc kernels overshoot, hence the clip.
fn to_level(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}
