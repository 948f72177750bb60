use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::module::linear;
use burn::tensor::{Device, Tensor, s};
use packed_linear::{Format, LinearWeight, PackedShape, PackedWeight};

/// A convolution of patches that do not overlap, computed as one matrix product in which each row holds the
/// pixels of a patch.
///
/// Hugging Face: the `Conv2d` of `CLIPVisionEmbeddings`, `ViTPatchEmbeddings` and `SwinPatchEmbeddings`.
#[derive(Module, Debug)]
pub struct PatchEmbedding {
    weight: LinearWeight<4>, // [width, channels, patch height, patch width]
    bias: Option<Param<Tensor<1>>>, // [width]
    #[module(skip)]
    patch: [usize; 2],
}

/// Creates a [`PatchEmbedding`].
#[derive(Clone, Debug)]
pub struct PatchEmbeddingConfig {
    /// Channels of an image.
    pub channels: usize,
    /// Height and width of a patch, in pixels.
    pub patch: [usize; 2],
    /// Width of the embeddings.
    pub width: usize,
    /// Whether there is a bias, which is 0 at first.
    pub bias: bool,
    /// Standard deviation of fresh weights.
    pub std: f64,
}

impl PatchEmbeddingConfig {
    /// Creates the layer with fresh weights, packed if there is a format. Nothing is allocated before a weight is
    /// used.
    pub fn init(&self, format: Option<Format>, device: &Device) -> PatchEmbedding {
        let [height, width] = self.patch;
        let dims = [self.width, self.channels, height, width];
        let initializer = Initializer::Normal {
            mean: 0.0,
            std: self.std,
        };
        let weight = match format {
            None => LinearWeight::Ordinary(initializer.init(dims, device)),
            Some(format) => {
                let shape = PackedShape::of_kernel(format_of_patches(format), dims);
                let init = move |device: &Device| {
                    let weight: Param<Tensor<4>> = initializer.init(dims, device);
                    weight.val().flatten(1, 3)
                };
                LinearWeight::Packed(PackedWeight::uninitialized(shape, device, init))
            }
        };
        let bias = self
            .bias
            .then(|| Initializer::Zeros.init([self.width], device));
        PatchEmbedding {
            weight,
            bias,
            patch: self.patch,
        }
    }
}

impl PatchEmbedding {
    /// # Shapes
    /// - pixel values: `[batch, channels, height, width]`. Pixels at the right and bottom border that do not
    ///   fill a patch are ignored.
    /// - output: `[batch, patches, width]`, row by row from the top left
    ///
    /// # Panics
    /// If the pixel values have other channels than the layer.
    pub fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let [batch, channels, height, width] = pixel_values.dims();
        let [patch_height, patch_width] = self.patch;
        let (rows, columns) = (height / patch_height, width / patch_width);
        let patches = pixel_values
            .slice(s![.., .., 0..rows * patch_height, 0..columns * patch_width])
            .reshape([batch, channels, rows, patch_height, columns, patch_width])
            .permute([0, 2, 4, 1, 3, 5]) // [batch, rows, columns, channels, patch height, patch width]
            .reshape([
                batch * rows * columns,
                channels * patch_height * patch_width,
            ]);
        let bias = self.bias.as_ref().map(Param::val);
        let embedded = match &self.weight {
            LinearWeight::Packed(packed) => packed.multiply(patches, bias, None),
            LinearWeight::Ordinary(weight) => {
                let weight = weight.val().flatten::<2>(1, 3); // [width, pixels]
                linear(patches, weight.transpose(), bias)
            }
        };
        let [_, width] = embedded.dims();
        embedded.reshape([batch, rows * columns, width])
    }
}

/// The format of the patch embedding in a model of the given format. Integer formats round the inputs of a
/// layer. Rounding pixels would change a captioner's logits as much as rounding the inputs of one kind of
/// linear layer in all layers, but would speed up only a fortieth of the arithmetic. So pixels are not rounded.
fn format_of_patches(format: Format) -> Format {
    match format {
        Format::F32 | Format::BF16 => format,
        Format::Int8 { .. } | Format::Int4 { .. } => Format::F32,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Distribution, Tolerance};

    use super::*;

    #[test]
    fn patches_are_those_of_a_convolution() {
        let device = Device::flex();
        let config = PatchEmbeddingConfig {
            channels: 2,
            patch: [3, 2],
            width: 5,
            bias: true,
            std: 0.5,
        };
        let mut layer = config.init(None, &device);
        let bias = Tensor::<1>::from_floats([0.1, -0.2, 0.3, -0.4, 0.5], &device);
        layer.bias = Some(Param::from_tensor(bias));
        // The last row and the last column fill no patch.
        let pixels = Tensor::random([2, 2, 10, 7], Distribution::Normal(0.0, 1.0), &device);
        let weight = layer.weight.ordinary().map(Param::val).unwrap();
        let options = ConvOptions::new([3, 2], [0, 0], [1, 1], 1);
        let bias = layer.bias.as_ref().map(Param::val);
        let expected = conv2d(pixels.clone(), weight, bias, options);
        let expected = expected.flatten::<3>(2, 3).swap_dims(1, 2);
        layer
            .forward(pixels)
            .into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-5));
    }
}
