use burn::tensor::{Int, Tensor, TensorData};
use transformer_layers::positions_beside_padding;

/// Positions as sines and cosines of the number of a token. Padding tokens are left out and have zeros.
///
/// Hugging Face: `TrOCRSinusoidalPositionalEmbedding`, after tensor2tensor and fairseq: first all sines, then all cosines,
/// and a zero if the width is odd.
#[derive(Clone, Debug)]
pub(crate) struct Sinusoids {
    frequencies: Vec<f32>,
    width: usize,
    padding: usize,
    longest: usize,
}

impl Sinusoids {
    /// # Panics
    /// If the width is less than 4.
    pub(crate) fn new(width: usize, padding: usize, longest: usize) -> Self {
        let half = width / 2;
        assert!(half > 1, "sines and cosines need a width of 4");
        let step = (10_000_f64.ln() / (half - 1) as f64) as f32;
        Self {
            frequencies: (0..half)
                .map(|index| (-step * index as f32).exp())
                .collect(),
            width,
            padding,
            longest,
        }
    }

    /// # Shapes
    /// - tokens: `[rows, new]`
    /// - output: `[rows, new, width]`
    ///
    /// # Panics
    /// If a row becomes longer than the longest.
    pub(crate) fn forward(
        &self,
        tokens: Tensor<2, Int>,
        cohorts: impl Iterator<Item = (usize, usize)>,
    ) -> Tensor<3> {
        let device = tokens.device();
        let [rows, new] = tokens.dims();
        let positions = positions_beside_padding(tokens, self.padding, cohorts, self.longest);
        let is_padding = positions.clone().equal_elem(self.padding as i64);
        let half = self.frequencies.len();
        let frequencies = TensorData::new(self.frequencies.clone(), [1, 1, half]);
        let frequencies = Tensor::<3>::from_data(frequencies, &device);
        let angles = positions.float().unsqueeze_dim::<3>(2) * frequencies; // [rows, new, half]
        let mut parts = vec![angles.clone().sin(), angles.cos()];
        if !self.width.is_multiple_of(2) {
            parts.push(Tensor::zeros([rows, new, 1], &device));
        }
        let embedded = Tensor::cat(parts, 2); // [rows, new, width]
        let is_padding = is_padding.unsqueeze_dim::<3>(2).expand(embedded.dims());
        embedded.mask_fill(is_padding, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn sines_come_before_cosines_and_padding_has_zeros() {
        let device = Device::flex();
        let tokens = Tensor::<2, Int>::from_data([[7, 1, 9]], &device);
        let found = Sinusoids::new(5, 1, 10).forward(tokens, [(1, 4)].into_iter());
        let found: Vec<f32> = found.try_into_vec_as().unwrap();
        // Positions 1 + 4 + 1 and 1 + 4 + 2, with the frequencies 1 and 1/10000.
        let of = |position: f32| {
            let slow = position * 1e-4;
            [position.sin(), slow.sin(), position.cos(), slow.cos(), 0.0]
        };
        let expected = [of(6.0), [0.0; 5], of(7.0)].concat();
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
