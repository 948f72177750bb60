use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor, s};

use crate::ClipVisionConfig;

/// Cuts the image into patches, puts a class token in front and adds positions.
///
/// Hugging Face: `CLIPVisionEmbeddings`.
#[derive(Module, Debug)]
pub(crate) struct Embeddings {
    class_embedding: Param<Tensor<1>>,    // [width]
    patch_embedding: Conv2d,              // [width, channels, patch, patch]
    position_embedding: Param<Tensor<2>>, // [positions, width]
    #[module(skip)]
    input: [usize; 3], // [channels, height, width]
}

impl Embeddings {
    pub(crate) fn new(config: &ClipVisionConfig, device: &Device) -> Self {
        let width = config.hidden_size;
        let factor = config.initializer_factor;
        let normal = |std| Initializer::Normal { mean: 0.0, std };
        let patch = [config.patch_size; 2];
        Self {
            class_embedding: normal(factor / (width as f64).sqrt()).init([width], device),
            patch_embedding: Conv2dConfig::new([config.num_channels, width], patch)
                .with_stride(patch)
                .with_bias(false)
                .with_initializer(normal(factor * config.initializer_range))
                .init(device),
            position_embedding: normal(factor * config.initializer_range)
                .init([config.num_positions(), width], device),
            input: [config.num_channels, config.image_size, config.image_size],
        }
    }

    /// # Shapes
    /// - pixel values: `[batch, channels, image_size, image_size]`
    /// - output: `[batch, positions, width]`
    ///
    /// # Panics
    /// If the pixel values have other channels, height or width than the configuration says.
    pub(crate) fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let [batch, channels, height, width] = pixel_values.dims();
        assert_eq!(
            [channels, height, width],
            self.input,
            "pixel values [channels, height, width] do not fit the model"
        );
        let patches = self.patches(pixel_values); // [batch, patches, width]
        let class = self.class_embedding.val();
        let [width] = class.dims();
        let class = class.reshape([1, 1, width]).expand([batch, 1, width]);
        Tensor::cat(vec![class, patches], 1) + self.position_embedding.val().unsqueeze()
    }

    /// A convolution whose patches do not overlap is one product of matrices: a patch's pixels are a
    /// row.
    fn patches(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let weight = self.patch_embedding.weight.val();
        let [width, channels, height, _] = weight.dims();
        let [batch, _, image_height, image_width] = pixel_values.dims();
        let (rows, columns) = (image_height / height, image_width / height);
        let pixels = channels * height * height;
        let patches = pixel_values
            .slice(s![.., .., 0..rows * height, 0..columns * height])
            .reshape([batch, channels, rows, height, columns, height])
            .permute([0, 2, 4, 1, 3, 5]) // [batch, rows, columns, channels, height, height]
            .reshape([batch * rows * columns, pixels]);
        let weight = weight.reshape([width, pixels]).transpose();
        patches
            .matmul(weight)
            .reshape([batch, rows * columns, width])
    }
}
