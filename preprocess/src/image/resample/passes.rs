use std::ops::Range;

use super::filter::Kernel;
use super::taps::{PRECISION_BITS, Precision, Taps};
use crate::image::RgbImage;

/// One half in fixed point. Adding it before the shift rounds to the nearest level.
const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// Both passes for the `[rows, columns]` of `window` out of `target` (`[height, width]`): `[rows, columns, 3]`.
///
/// The order of the passes keeps the intermediate pixels from outnumbering both those of the image and those of the
/// result. A side that keeps its length needs no special case, since its weights are exactly one and zero.
pub(super) fn convolve(
    image: &RgbImage,
    target: [usize; 2],
    window: [Range<usize>; 2],
    kernel: &Kernel,
) -> Vec<u8> {
    let original = [image.height() as usize, image.width() as usize];
    let [rows, columns] = window;
    let rows = Taps::new(kernel, original[0], target[0], rows, Precision::Pillow);
    let columns = Taps::new(kernel, original[1], target[1], columns, Precision::Pillow);
    // Only pixels that contribute to the window are read or computed.
    let source = Block::of(image, rows.input_range(), columns.input_range());
    if vertical_first(original, target) {
        let between = vertical(&source, &rows);
        let between = Block::packed(&between, source.width, [0, source.origin[1]]);
        horizontal(&between, &columns)
    } else {
        let between = horizontal(&source, &columns);
        let between = Block::packed(&between, columns.len(), [source.origin[0], 0]);
        vertical(&between, &rows)
    }
}

/// Whether the height shrinks by more than twice as many pixels as the width.
///
/// Pillow 13 then begins with the pass along columns; earlier releases always begin with the pass along rows. Pixels are
/// rounded and clipped between the passes, so the order changes hard edges by more than one level.
fn vertical_first(original: [usize; 2], target: [usize; 2]) -> bool {
    let [height, width] = original.map(|side| side as i128);
    let [new_height, new_width] = target.map(|side| side as i128);
    new_height < height && height - new_height > 2 * (width - new_width)
}

/// A rectangle of pixels and its position in its image.
struct Block<'a> {
    /// From the first pixel of the first line to the last pixel of the last line.
    pixels: &'a [u8],
    /// Number of bytes from one line to the next.
    stride: usize,
    /// Number of pixels in a line.
    width: usize,
    /// Row and column of the first pixel.
    origin: [usize; 2],
}

impl<'a> Block<'a> {
    fn of(image: &'a RgbImage, rows: Range<usize>, columns: Range<usize>) -> Self {
        let stride = image.width() as usize * 3;
        let first = rows.start * stride + columns.start * 3;
        let end = (rows.end - 1) * stride + columns.end * 3;
        Self {
            pixels: &image.pixels()[first..end],
            stride,
            width: columns.len(),
            origin: [rows.start, columns.start],
        }
    }

    fn packed(pixels: &'a [u8], width: usize, origin: [usize; 2]) -> Self {
        Self {
            pixels,
            stride: width * 3,
            width,
            origin,
        }
    }

    /// The lines from row `row` of the image on.
    fn lines(&self, row: usize) -> impl ExactSizeIterator<Item = &'a [u8]> {
        let width = self.width * 3;
        let lines = self.pixels[(row - self.origin[0]) * self.stride..].chunks(self.stride);
        lines.map(move |line| &line[..width])
    }
}

/// Filters every line: `[lines, width, 3]` -> `[lines, taps, 3]`.
fn horizontal(source: &Block, taps: &Taps) -> Vec<u8> {
    let lines = source.lines(source.origin[0]);
    let mut result = vec![0; lines.len() * taps.len() * 3];
    for (output, line) in result.chunks_exact_mut(taps.len() * 3).zip(lines) {
        for (index, pixel) in output.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (start, weights) = taps.get(index);
            let first = (start - source.origin[1]) * 3;
            let (inputs, _) = line[first..first + weights.len() * 3].as_chunks::<3>();
            let mut sums = [HALF; 3];
            for (input, weight) in inputs.iter().zip(weights) {
                for (sum, value) in sums.iter_mut().zip(input) {
                    *sum += i32::from(*value) * weight;
                }
            }
            *pixel = sums.map(to_level);
        }
    }
    result
}

/// Filters every column: `[lines, width, 3]` -> `[taps, width, 3]`.
fn vertical(source: &Block, taps: &Taps) -> Vec<u8> {
    let width = source.width * 3;
    let mut result = vec![0; taps.len() * width];
    let mut sums = vec![0; width];
    for (index, output) in result.chunks_exact_mut(width).enumerate() {
        let (start, weights) = taps.get(index);
        sums.fill(HALF);
        // All bytes of a line share one weight, so the inner loop vectorises.
        for (line, weight) in source.lines(start).zip(weights) {
            for (sum, value) in sums.iter_mut().zip(line) {
                *sum += i32::from(*value) * weight;
            }
        }
        for (value, sum) in output.iter_mut().zip(&sums) {
            *value = to_level(*sum);
        }
    }
    result
}

/// Fixed point to a grey level. Cubic and sinc kernels overshoot, so the level is clipped.
fn to_level(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_filtered_first_where_the_height_shrinks_far_more() {
        // The boundary in Pillow 13: 100 to 50 rows, 100 to 75 or 76 columns.
        assert!(!vertical_first([100, 100], [50, 75]));
        assert!(vertical_first([100, 100], [50, 76]));
        assert!(vertical_first([100, 100], [99, 255]));
        assert!(!vertical_first([100, 100], [150, 255]));
        assert!(!vertical_first([399, 261], [97, 64]));
    }
}
