use std::ops::Range;

use crate::image::RgbImage;

/// The nearest neighbours for the `[rows, columns]` of `window` out of `target` (`[height, width]`).
pub(super) fn resize(image: &RgbImage, target: [usize; 2], window: [Range<usize>; 2]) -> Vec<u8> {
    let [height, width] = target;
    let [rows, columns] = window;
    let rows = sources(image.height() as usize, height, rows);
    let columns = sources(image.width() as usize, width, columns);
    let mut result = Vec::with_capacity(rows.len() * columns.len() * 3);
    for row in rows {
        let row = image.rows(row..row + 1);
        for column in &columns {
            result.extend_from_slice(&row[column * 3..column * 3 + 3]);
        }
    }
    result
}

/// The input position of each output position in `window`.
///
/// Pillow adds the step once per pixel instead of multiplying, and the rounding errors that pile up decide which
/// neighbour a pixel between two gets; so the sum runs from the first position here too.
fn sources(input: usize, output: usize, window: Range<usize>) -> Vec<usize> {
    let step = input as f64 / output as f64;
    let mut center = step * 0.5;
    let mut result = Vec::with_capacity(window.len());
    for position in 0..window.end {
        if window.contains(&position) {
            result.push((center as usize).min(input - 1));
        }
        center += step;
    }
    result
}
