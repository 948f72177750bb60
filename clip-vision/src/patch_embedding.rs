use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::module::linear;
use burn::tensor::{Device, Tensor, s};
use packed_linear::{Format, LinearWeight, PackedShape, PackedWeight};

use crate::ClipVisionConfig;

/// A convolution of patches that do not overlap, computed as one matrix product in which each row holds the
/// pixels of a patch.
///
/// Hugging Face: the `Conv2d` of `CLIPVisionEmbeddings`, which has no bias.
#[derive(Module, Debug)]
pub(crate) struct PatchEmbedding {
    weight: LinearWeight<4>, // [width, channels, patch, patch]
    #[module(skip)]
    patch: usize, // height and width
}

impl PatchEmbedding {
    pub(crate) fn new(config: &ClipVisionConfig, format: Option<Format>, device: &Device) -> Self {
        let patch = config.patch_size;
        let dims = [config.hidden_size, config.num_channels, patch, patch];
        let initializer = Initializer::Normal {
            mean: 0.0,
            std: config.initializer_factor * config.initializer_range,
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
        Self { weight, patch }
    }

    /// # Shapes
    /// - pixel values: `[batch, channels, height, width]`. Pixels at the right and bottom border that do not
    ///   fill a patch are ignored.
    /// - output: `[batch, patches, width]`, row by row from the top left
    pub(crate) fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let [batch, channels, height, width] = pixel_values.dims();
        let patch = self.patch;
        let (rows, columns) = (height / patch, width / patch);
        let patches = pixel_values
            .slice(s![.., .., 0..rows * patch, 0..columns * patch])
            .reshape([batch, channels, rows, patch, columns, patch])
            .permute([0, 2, 4, 1, 3, 5]) // [batch, rows, columns, channels, patch, patch]
            .reshape([batch * rows * columns, channels * patch * patch]);
        let embedded = match &self.weight {
            LinearWeight::Packed(packed) => packed.multiply(patches, None, None),
            LinearWeight::Ordinary(weight) => {
                let weight = weight.val().flatten::<2>(1, 3); // [width, pixels]
                linear(patches, weight.transpose(), None)
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
