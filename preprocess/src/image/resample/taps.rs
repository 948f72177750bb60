use std::ops::Range;

use super::filter::Kernel;

/// Fraction bits of a weight, as in Pillow: they leave 8 bits for the pixel and 2 for overshoot in a sum of 32 bits.
pub(super) const PRECISION_BITS: u32 = 32 - 8 - 2;

/// How many fraction bits weights have.
#[derive(Clone, Copy)]
pub(super) enum Precision {
    /// [`PRECISION_BITS`], as in Pillow.
    Pillow,
    /// As many as let the largest weight of the axis fit into 16 bits, as in PyTorch.
    SixteenBits,
}

/// For each output position of an axis, the input positions that it sums and their weights.
pub(super) struct Taps {
    /// Weights of all positions, one after the other, in units of 2^-`bits`.
    weights: Vec<i32>,
    /// Fraction bits.
    bits: u32,
    /// First input position and first weight of each output position.
    starts: Vec<(usize, usize)>,
}

impl Taps {
    /// The taps of output positions `window` when an axis of `input` pixels becomes one of `output` pixels.
    pub(super) fn new(
        kernel: &Kernel,
        input: usize,
        output: usize,
        window: Range<usize>,
        precision: Precision,
    ) -> Self {
        let axis = Axis::new(kernel, input, output);
        let bits = match precision {
            Precision::Pillow => PRECISION_BITS,
            Precision::SixteenBits => axis.bits_of_sixteen(output),
        };
        let mut taps = Self {
            weights: Vec::new(),
            bits,
            starts: Vec::with_capacity(window.len()),
        };
        let mut exact = Vec::new();
        for position in window {
            let start = axis.weights(position, &mut exact);
            taps.starts.push((start, taps.weights.len()));
            taps.weights
                .extend(exact.iter().map(|weight| to_fixed(*weight, bits)));
        }
        taps
    }

    /// Fraction bits of the weights.
    pub(super) fn bits(&self) -> u32 {
        self.bits
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

/// An axis of `input` pixels that becomes one of other length.
struct Axis<'a> {
    kernel: &'a Kernel,
    input: usize,
    /// Input pixels for each output pixel.
    scale: f64,
}

impl<'a> Axis<'a> {
    fn new(kernel: &'a Kernel, input: usize, output: usize) -> Self {
        Self {
            kernel,
            input,
            scale: input as f64 / output as f64,
        }
    }

    /// The exact weights of an output position, which sum to one, and the input position of the first.
    fn weights(&self, position: usize, weights: &mut Vec<f64>) -> usize {
        // Enlarging leaves the kernel unchanged; reducing stretches it over all pixels that merge into one.
        let stretch = self.scale.max(1.0);
        let radius = self.kernel.radius * stretch;
        let shrink = 1.0 / stretch;
        let center = (position as f64 + 0.5) * self.scale;
        // Float to integer casts saturate, so a negative start becomes the first pixel.
        let start = (center - radius + 0.5) as usize;
        let end = ((center + radius + 0.5) as usize).min(self.input);
        let weight = |x: usize| (self.kernel.weight)((x as f64 - center + 0.5) * shrink);
        weights.clear();
        weights.extend((start..end).map(weight));
        let sum: f64 = weights.iter().sum();
        if sum != 0.0 {
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        start
    }

    /// The fraction bits with which the largest weight of the whole axis, of `output` pixels, fits into 16 bits.
    fn bits_of_sixteen(&self, output: usize) -> u32 {
        let mut largest = 0.0f64;
        let mut exact = Vec::new();
        for position in looked_at(output) {
            self.weights(position, &mut exact);
            largest = exact.iter().copied().fold(largest, f64::max);
        }
        let fits = |bits: &u32| 0.5 + largest * f64::from(1u32 << (bits + 1)) < f64::from(1 << 15);
        (0..22).find(|bits| !fits(bits)).unwrap_or(22)
    }
}

/// The positions of an axis whose weights are looked at for the largest one: all of a length that an image can have, the
/// ends and the middle of a longer one, which has no result as a whole.
fn looked_at(output: usize) -> impl Iterator<Item = usize> {
    const ALL: usize = 1 << 20;
    let step = output.div_ceil(ALL).max(1);
    (0..output).step_by(step)
}

/// Rounds half away from zero, as a cast in C after adding a signed half does.
fn to_fixed(weight: f64, bits: u32) -> i32 {
    let scaled = weight * f64::from(1u32 << bits);
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
                let taps = Taps::new(&kernel, input, output, 0..output, Precision::Pillow);
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
        let whole = Taps::new(&kernel, 301, 77, 0..77, Precision::Pillow);
        let part = Taps::new(&kernel, 301, 77, 20..50, Precision::Pillow);
        for index in 0..part.len() {
            assert_eq!(part.get(index), whole.get(index + 20));
        }
    }
}
