use std::ops::Range;

use super::filter::Kernel;

/// Fraction bits of a weight, as in Pillow: they leave 8 bits for the pixel and 2 for overshoot in a sum of 32 bits.
pub(super) const PRECISION_BITS: u32 = 32 - 8 - 2;

/// For each output position of an axis, the input positions that it sums and their weights.
pub(super) struct Taps {
    /// Weights of all positions, one after the other, in units of 2^-[`PRECISION_BITS`].
    weights: Vec<i32>,
    /// First input position and first weight of each output position.
    starts: Vec<(usize, usize)>,
}

impl Taps {
    /// The taps of output positions `window` when an axis of `input` pixels becomes one of `output` pixels.
    pub(super) fn new(kernel: &Kernel, input: usize, output: usize, window: Range<usize>) -> Self {
        let scale = input as f64 / output as f64;
        // Enlarging leaves the kernel unchanged; reducing stretches it over all pixels that merge into one.
        let stretch = scale.max(1.0);
        let radius = kernel.radius * stretch;
        let shrink = 1.0 / stretch;
        let mut taps = Self {
            weights: Vec::new(),
            starts: Vec::with_capacity(window.len()),
        };
        let mut exact = Vec::new();
        for position in window {
            let center = (position as f64 + 0.5) * scale;
            // Float to integer casts saturate, so a negative start becomes the first pixel.
            let start = (center - radius + 0.5) as usize;
            let end = ((center + radius + 0.5) as usize).min(input);
            exact.clear();
            exact.extend((start..end).map(|x| (kernel.weight)((x as f64 - center + 0.5) * shrink)));
            let sum: f64 = exact.iter().sum();
            taps.starts.push((start, taps.weights.len()));
            taps.weights.extend(
                exact
                    .iter()
                    .map(|weight| to_fixed(if sum == 0.0 { *weight } else { weight / sum })),
            );
        }
        taps
    }

    /// Number of output positions.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// First input position and weights of output position `index` of the window.
    pub(super) fn get(&self, index: usize) -> (usize, &[i32]) {
        let (position, first) = self.starts[index];
        let end = match self.starts.get(index + 1) {
            Some(&(_, next)) => next,
            None => self.weights.len(),
        };
        (position, &self.weights[first..end])
    }

    /// The input positions that the window needs.
    pub(super) fn input_range(&self) -> Range<usize> {
        // Starts and ends never decrease, so the first and the last position decide.
        let (first, _) = self.get(0);
        let (last, weights) = self.get(self.len() - 1);
        first..last + weights.len()
    }
}

/// Rounds half away from zero, as a cast in C after adding a signed half does.
fn to_fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1u32 << PRECISION_BITS);
    (if weight < 0.0 {
        scaled - 0.5
    } else {
        scaled + 0.5
    }) as i32
}

#[cfg(test)]
mod tests {
    use super::super::Resample;
    use super::*;

    #[test]
    fn the_weights_of_every_position_sum_to_one() {
        for filter in Resample::ALL {
            let Some(kernel) = filter.kernel() else {
                continue;
            };
            for (input, output) in [(1, 1), (1, 9), (9, 1), (7, 5), (5, 7), (1000, 3), (64, 64)] {
                let taps = Taps::new(&kernel, input, output, 0..output);
                for index in 0..taps.len() {
                    let (start, weights) = taps.get(index);
                    assert!(start + weights.len() <= input);
                    let sum: i32 = weights.iter().sum();
                    let error = (sum - (1 << PRECISION_BITS)).unsigned_abs() as usize;
                    assert!(error <= weights.len(), "{filter:?} {input} {output} {sum}");
                }
            }
        }
    }

    #[test]
    fn a_window_has_the_taps_of_the_whole_axis() {
        let kernel = Resample::Bicubic.kernel().unwrap();
        let whole = Taps::new(&kernel, 301, 77, 0..77);
        let part = Taps::new(&kernel, 301, 77, 20..50);
        for index in 0..part.len() {
            assert_eq!(part.get(index), whole.get(index + 20));
        }
    }
}
