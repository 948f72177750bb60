use std::ops::Range;

use crate::MAX_PIXELS;
use crate::image::RgbImage;

/// The nearest neighbours for the `[rows, columns]` of `window` out of `target` (`[height, width]`).
pub(super) fn resize(image: &RgbImage, target: [usize; 2], window: [Range<usize>; 2]) -> Vec<u8> {
    let [height, width] = target;
    let [rows, columns] = window;
    let rows = sources(image.height() as usize, height, rows);
    let columns = sources(image.width() as usize, width, columns);
    let mut result = Vec::with_capacity(rows.len() * columns.len() * 3);
    let stride = image.width() as usize * 3;
    for row in rows {
        let row = &image.pixels()[row * stride..][..stride];
        for column in &columns {
            result.extend_from_slice(&row[column * 3..column * 3 + 3]);
        }
    }
    result
}

/// The input position for each output position in `window`.
///
/// Pillow adds up the step pixel by pixel instead of multiplying, and the accumulated rounding errors decide which
/// neighbour a pixel between two gets. So the sum starts at the first position here too. On axes longer than any image
/// of Pillow's there is nothing to agree with, and that sum would take forever, so there it starts at the window.
fn sources(input: usize, output: usize, window: Range<usize>) -> Vec<usize> {
    let step = input as f64 / output as f64;
    let first = if window.end as u64 > MAX_PIXELS {
        window.start
    } else {
        0
    };
    let mut center = step * (first as f64 + 0.5);
    let mut result = Vec::with_capacity(window.len());
    for position in first..window.end {
        if window.contains(&position) {
            result.push((center as usize).min(input - 1));
        }
        center += step;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_huge_axis_is_found_at_once() {
        let output = 1 << 50;
        let middle = output / 2;
        assert_eq!(sources(100, output, middle - 1..middle + 1), [49, 50]);
    }
}
