use std::ops::Range;

use crate::image::RgbImage;

/// Pixels along an axis that one output pixel is made of.
const TAPS: usize = 4;

/// The `[rows, columns]` of `window` out of `target` (`[height, width]`) as PyTorch's bicubic interpolation without
/// antialias computes them in `f32`, rounded to the nearest level, ties to even, as torchvision does with 8-bit tensors:
/// `[rows, columns, 3]`.
pub(super) fn interpolate(
    image: &RgbImage,
    target: [usize; 2],
    window: [Range<usize>; 2],
) -> Vec<u8> {
    let [rows, columns] = window;
    let (height, width) = (image.height() as usize, image.width() as usize);
    let columns: Vec<Taps> = columns.map(|x| Taps::new(width, target[1], x)).collect();
    let (pixels, _) = image.pixels().as_chunks::<3>();
    let mut lines = Lines::default();
    let mut result = Vec::with_capacity(rows.len() * columns.len() * 3);
    for row in rows {
        let taps = Taps::new(height, target[0], row);
        for source in taps.sources {
            lines.filter(source, &pixels[source * width..][..width], &columns);
        }
        let lines = taps.sources.map(|source| lines.get(source));
        let level = |index| taps.sum(lines.map(|line| line[index]));
        result.extend((0..columns.len() * 3).map(|index| to_level(level(index))));
    }
    result
}

/// The input positions of an output position, and their weights.
struct Taps {
    sources: [usize; TAPS],
    weights: [f32; TAPS],
}

impl Taps {
    fn new(input: usize, output: usize, position: usize) -> Self {
        let scale = input as f32 / output as f32;
        let center = scale * (position as f32 + 0.5) - 0.5;
        let floor = center.floor();
        let fraction = center - floor;
        let last = input as i64 - 1;
        let source = |offset| (floor as i64).saturating_add(offset).clamp(0, last) as usize;
        Self {
            sources: [-1, 0, 1, 2].map(source),
            weights: [
                outer(fraction + 1.0),
                inner(fraction),
                inner(1.0 - fraction),
                outer((1.0 - fraction) + 1.0),
            ],
        }
    }

    /// A weighted sum. Each product is added unrounded, as the fused instruction does that PyTorch is compiled to.
    fn sum(&self, levels: [f32; TAPS]) -> f32 {
        let first = levels[0] * self.weights[0];
        let rest = levels.iter().zip(&self.weights).skip(1);
        rest.fold(first, |sum, (level, weight)| {
            // The product is exact in `f64`.
            (f64::from(*level) * f64::from(*weight) + f64::from(sum)) as f32
        })
    }
}

/// PyTorch's constant of Keys' cubic; Pillow's, and PyTorch's with antialias, is -1/2.
const A: f32 = -0.75;

/// The cubic from 0 to 1.
fn inner(x: f32) -> f32 {
    ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
}

/// The cubic from 1 to 2.
fn outer(x: f32) -> f32 {
    ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A
}

/// The filtered lines that the last rows were made of, so that each is filtered once.
#[derive(Default)]
struct Lines(Vec<(usize, Vec<f32>)>);

impl Lines {
    /// Keeps the line of row `source`, and lets go of the oldest one.
    fn filter(&mut self, source: usize, line: &[[u8; 3]], columns: &[Taps]) {
        if self.0.iter().any(|(row, _)| *row == source) {
            return;
        }
        // The sources of a row never decrease, so that the first is not one of the current row.
        let mut values = match self.0.len() {
            TAPS => self.0.remove(0).1,
            _ => Vec::new(),
        };
        values.clear();
        for taps in columns {
            let pixels = taps.sources.map(|source| line[source]);
            let level = |channel: usize| taps.sum(pixels.map(|pixel| f32::from(pixel[channel])));
            values.extend([0, 1, 2].map(level));
        }
        self.0.push((source, values));
    }

    fn get(&self, source: usize) -> &[f32] {
        let line = self.0.iter().find(|(row, _)| *row == source);
        line.map_or(&[], |(_, values)| values)
    }
}

/// Cubics overshoot, so the level is clipped.
fn to_level(value: f32) -> u8 {
    value.round_ties_even().clamp(0.0, 255.0) as u8
}
