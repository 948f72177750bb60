use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::module::linear;
use burn::tensor::{Device, Tensor, s};
use packed_linear::{Format, PackedShape, PackedWeight, Precision};

use crate::ClipVisionConfig;

/// A convolution whose patches do not overlap, which is one product of matrices: a patch's pixels are
/// a row.
///
/// Hugging Face: the `Conv2d` of `CLIPVisionEmbeddings`, which has no bias.
#[derive(Module, Debug)]
pub(crate) struct PatchEmbedding {
    weight: Option<Param<Tensor<4>>>, // [width, channels, patch, patch]; none if it is packed
    packed: Option<PackedWeight>,     // none if it is ordinary
    #[module(skip)]
    patch: usize,  // height and width
}

impl PatchEmbedding {
    pub(crate) fn new(config: &ClipVisionConfig, format: Option<Format>, device: &Device) -> Self {
        let patch = config.patch_size;
        let dims = [config.hidden_size, config.num_channels, patch, patch];
        let initializer = Initializer::Normal {
            mean: 0.0,
            std: config.initializer_factor * config.initializer_range,
        };
        match format {
            None => Self {
                weight: Some(initializer.init(dims, device)),
                packed: None,
                patch,
            },
            Some(format) => {
                let shape = PackedShape::of_kernel(format_of_patches(format), dims);
                let init = move |device: &Device| {
                    let weight: Param<Tensor<4>> = initializer.init(dims, device);
                    weight.val().flatten(1, 3)
                };
                Self {
                    weight: None,
                    packed: Some(PackedWeight::uninitialized(shape, device, init)),
                    patch,
                }
            }
        }
    }

    /// # Shapes
    /// - pixel values: `[batch, channels, height, width]`; what a last patch would not be full of is
    ///   left out
    /// - output: `[batch, patches, width]`, from the top left
    pub(crate) fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let [batch, channels, height, width] = pixel_values.dims();
        let patch = self.patch;
        let (rows, columns) = (height / patch, width / patch);
        let patches = pixel_values
            .slice(s![.., .., 0..rows * patch, 0..columns * patch])
            .reshape([batch, channels, rows, patch, columns, patch])
            .permute([0, 2, 4, 1, 3, 5]) // [batch, rows, columns, channels, patch, patch]
            .reshape([batch * rows * columns, channels * patch * patch]);
        let embedded = match (&self.packed, &self.weight) {
            (Some(packed), _) => packed.multiply(patches, None, None),
            (None, Some(weight)) => {
                let weight = weight.val().flatten::<2>(1, 3); // [width, pixels]
                linear(patches, weight.transpose(), None)
            }
            (None, None) => panic!("patches need a weight"),
        };
        let [_, width] = embedded.dims();
        embedded.reshape([batch, rows * columns, width])
    }
}

/// Rounding pixels to whole numbers moves a captioner's logits as far as rounding all inputs of one kind
/// of linear layer does, for a fortieth of the arithmetic, so they stay as they are.
fn format_of_patches(format: Format) -> Format {
    match format.precision() {
        Precision::F32 | Precision::BF16 => format,
        Precision::Int8 | Precision::Int4 => Format::F32,
    }
}
