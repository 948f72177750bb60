use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use packed_linear::{Format, Input, LayerNorm, PackedLinear, PackedLinearConfig};

use crate::embeddings::NORM_EPSILON;

/// Merges each 2 × 2 positions of a grid into one of twice the width.
///
/// Hugging Face: `SwinPatchMerging`.
#[derive(Module, Debug)]
pub(crate) struct PatchMerging {
    norm: LayerNorm,
    reduction: PackedLinear, // 4 width to 2 width
}

impl PatchMerging {
    pub(crate) fn new(width: usize, std: f64, format: Option<Format>, device: &Device) -> Self {
        Self {
            norm: LayerNorm::new(4 * width, NORM_EPSILON, device),
            reduction: PackedLinearConfig::new(4 * width, 2 * width)
                .with_bias(false)
                .with_initializer(Initializer::Normal { mean: 0.0, std })
                .with_format(format)
                .init(device),
        }
    }

    /// # Shapes
    /// - hidden: `[batch, rows · columns, width]`
    /// - output: `[batch, rows / 2 · columns / 2, 2 width]`, where halves are rounded up
    pub(crate) fn forward(&self, hidden: Tensor<3>, grid: [usize; 2]) -> Tensor<3> {
        let merged = neighbours(hidden, grid);
        self.reduction.forward(Input::normed(&self.norm, merged))
    }
}

/// The positions of each 2 × 2 square next to each other: the left two from top to bottom, then the right two. A grid
/// with an odd side is padded with zeros.
///
/// # Shapes
/// - hidden: `[batch, rows · columns, width]`
/// - output: `[batch, rows / 2 · columns / 2, 4 width]`, where halves are rounded up
fn neighbours(hidden: Tensor<3>, [rows, columns]: [usize; 2]) -> Tensor<3> {
    let [batch, _, width] = hidden.dims();
    let device = hidden.device();
    let mut grids = hidden.reshape([batch, rows, columns, width]);
    let [half_rows, half_columns] = [rows.div_ceil(2), columns.div_ceil(2)];
    if columns % 2 == 1 {
        let padding = Tensor::zeros([batch, rows, 1, width], &device);
        grids = Tensor::cat(vec![grids, padding], 2);
    }
    if rows % 2 == 1 {
        let padding = Tensor::zeros([batch, 1, 2 * half_columns, width], &device);
        grids = Tensor::cat(vec![grids, padding], 1);
    }
    grids
        .reshape([batch, half_rows, 2, half_columns, 2, width])
        .permute([0, 1, 3, 4, 2, 5]) // [batch, rows, columns, right, bottom, width]
        .reshape([batch, half_rows * half_columns, 4 * width])
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    fn merged([rows, columns]: [usize; 2]) -> Vec<f32> {
        let values: Vec<f32> = (1..=rows * columns).map(|value| value as f32).collect();
        let data = TensorData::new(values, [1, rows * columns, 1]);
        let hidden = Tensor::from_data(data, &Device::flex());
        let merged = neighbours(hidden, [rows, columns]);
        merged.into_data().try_into_vec().unwrap()
    }

    #[test]
    fn neighbours_go_down_before_they_go_right() {
        let expected = [1.0, 5.0, 2.0, 6.0, 3.0, 7.0, 4.0, 8.0];
        assert_eq!(merged([2, 4]), expected);
    }

    #[test]
    fn odd_sides_are_padded_with_zeros() {
        #[rustfmt::skip]
        let expected = [
            1.0, 4.0, 2.0, 5.0,    3.0, 6.0, 0.0, 0.0,
            7.0, 0.0, 8.0, 0.0,    9.0, 0.0, 0.0, 0.0,
        ];
        assert_eq!(merged([3, 3]), expected);
        assert_eq!(merged([1, 2]), [1.0, 0.0, 2.0, 0.0]);
        assert_eq!(merged([2, 1]), [1.0, 2.0, 0.0, 0.0]);
    }
}
