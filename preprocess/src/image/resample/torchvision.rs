use std::ops::Range;

use super::filter::Kernel;
use super::taps::{Precision, Taps};
use crate::image::RgbImage;

/// The `[rows, columns]` of `window` out of `target` (`[height, width]`) as PyTorch's antialiased interpolation of 8-bit
/// tensors computes them, which torchvision calls: `[rows, columns, 3]`.
///
/// The kernels are Pillow's. The passes always have one order, lines before columns, with pixels rounded to 8 bits between
/// them, and weights have 16 bits. A line is filtered once and added to all rows of the result that it is part of, so
/// that memory depends on the result, however many lines the image has.
pub(super) fn convolve(
    image: &RgbImage,
    target: [usize; 2],
    window: [Range<usize>; 2],
    kernel: &Kernel,
) -> Vec<u8> {
    let [rows, columns] = window;
    let (height, width) = (image.height() as usize, image.width() as usize);
    let rows = Taps::new(kernel, height, target[0], rows, Precision::SixteenBits);
    let columns = Taps::new(kernel, width, target[1], columns, Precision::SixteenBits);
    let (pixels, _) = image.pixels().as_chunks::<3>();
    let line_length = columns.len() * 3;
    let mut sums = vec![half(&rows); rows.len() * line_length];
    let mut filtered = vec![0; line_length];
    let mut first = 0;
    for row in rows.input_range() {
        // Starts never decrease and neither do ends, so that the rows with this line follow each other.
        while first < rows.len() && end(&rows, first) <= row {
            first += 1;
        }
        filter_line(&pixels[row * width..][..width], &columns, &mut filtered);
        for (index, sums) in
            (first..rows.len()).zip(sums[first * line_length..].chunks_exact_mut(line_length))
        {
            let (start, weights) = rows.get(index);
            let Some(place) = row.checked_sub(start) else {
                break;
            };
            // An end can equal the one before it where weights vanish.
            let Some(weight) = weights.get(place) else {
                continue;
            };
            for (sum, level) in sums.iter_mut().zip(&filtered) {
                *sum += i32::from(*level) * weight;
            }
        }
    }
    sums.iter().map(|sum| to_level(*sum, &rows)).collect()
}

fn filter_line(line: &[[u8; 3]], taps: &Taps, filtered: &mut [u8]) {
    let (filtered, _) = filtered.as_chunks_mut::<3>();
    for (index, pixel) in filtered.iter_mut().enumerate() {
        let (start, weights) = taps.get(index);
        let mut sums = [half(taps); 3];
        for (input, weight) in line[start..].iter().zip(weights) {
            for (sum, level) in sums.iter_mut().zip(input) {
                *sum += i32::from(*level) * weight;
            }
        }
        *pixel = sums.map(|sum| to_level(sum, taps));
    }
}

fn end(taps: &Taps, index: usize) -> usize {
    let (start, weights) = taps.get(index);
    start + weights.len()
}

/// One half in fixed point. Adding it before the shift rounds to the nearest level.
fn half(taps: &Taps) -> i32 {
    1 << (taps.bits() - 1)
}

fn to_level(sum: i32, taps: &Taps) -> u8 {
    (sum >> taps.bits()).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::super::{Resample, resize_window};
    use crate::Error;
    use crate::image::{Backend, RgbImage};

    #[test]
    fn a_tall_image_is_resized_and_one_of_extreme_proportions_refused() {
        let resize = |rows: u32, side: u64| {
            let image = RgbImage::new(1, rows, vec![9; rows as usize * 3]).unwrap();
            let (size, window) = ([3, side], [0..3, 0..side]);
            resize_window(
                &image,
                size,
                window,
                Resample::Bicubic,
                Backend::Torchvision,
            )
        };
        assert!(resize(100_000, 5).unwrap().iter().all(|level| *level == 9));
        let error = resize(1_000_000, 300).unwrap_err();
        assert!(matches!(error, Error::ResultTooLarge { .. }), "{error}");
    }
}
