use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

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
        let patches = self.patch_embedding.forward(pixel_values); // [batch, width, rows, columns]
        let patches = patches.flatten::<3>(2, 3).swap_dims(1, 2); // [batch, patches, width]
        let class = self.class_embedding.val();
        let [width] = class.dims();
        let class = class.reshape([1, 1, width]).expand([batch, 1, width]);
        Tensor::cat(vec![class, patches], 1) + self.position_embedding.val().unsqueeze()
    }
}
