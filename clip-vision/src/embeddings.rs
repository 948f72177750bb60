use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use packed_linear::Format;
use transformer_layers::{PatchEmbedding, PatchEmbeddingConfig};

use crate::ClipVisionConfig;

/// Embeds the patches of an image, prepends a class token and adds position embeddings.
///
/// Hugging Face: `CLIPVisionEmbeddings`.
#[derive(Module, Debug)]
pub(crate) struct Embeddings {
    class_embedding: Param<Tensor<1>>, // [width]
    patch_embedding: PatchEmbedding,
    position_embedding: Param<Tensor<2>>, // [positions, width]
    #[module(skip)]
    input: [usize; 3], // [channels, height, width]
}

impl Embeddings {
    pub(crate) fn new(config: &ClipVisionConfig, format: Option<Format>, device: &Device) -> Self {
        let width = config.hidden_size;
        let factor = config.initializer_factor;
        let patches = PatchEmbeddingConfig {
            channels: config.num_channels,
            patch: [config.patch_size; 2],
            width,
            bias: false,
            std: factor * config.initializer_range,
        };
        let normal = |std| Initializer::Normal { mean: 0.0, std };
        Self {
            class_embedding: normal(factor / (width as f64).sqrt()).init([width], device),
            patch_embedding: patches.init(format, device),
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
    /// If the channels, height or width of the pixel values are not those of the configuration.
    pub(crate) fn forward(&self, pixel_values: Tensor<4>) -> Tensor<3> {
        let [batch, channels, height, width] = pixel_values.dims();
        assert_eq!(
            [channels, height, width],
            self.input,
            "pixel values [channels, height, width] do not fit the model"
        );
        let patches = self.patch_embedding.forward(pixel_values); // [batch, patches, width]
        let class = self.class_embedding.val();
        let [width] = class.dims();
        let class = class.reshape([1, 1, width]).expand([batch, 1, width]);
        Tensor::cat(vec![class, patches], 1) + self.position_embedding.val().unsqueeze()
    }
}
