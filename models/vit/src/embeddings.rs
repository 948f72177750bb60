use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Initializer};
use burn::tensor::{Device, Tensor};
use packed_linear::Format;
use transformer_layers::{PatchEmbedding, PatchEmbeddingConfig};

use crate::{ViTConfig, ViTModelType};

/// Embeds the patches of an image, prepends the tokens and adds position embeddings.
///
/// Hugging Face: `ViTEmbeddings`, `DeiTEmbeddings`.
#[derive(Module, Debug)]
pub(crate) struct Embeddings {
    // The dimensions of 1 are those of a checkpoint.
    class_token: Param<Tensor<3>>,                // [1, 1, width]
    distillation_token: Option<Param<Tensor<3>>>, // [1, 1, width]
    patches: PatchEmbedding,
    positions: Param<Tensor<3>>, // [1, positions, width]
    dropout: Dropout,
    #[module(skip)]
    input: [usize; 3], // [channels, height, width]
}

impl Embeddings {
    pub(crate) fn new(config: &ViTConfig, format: Option<Format>, device: &Device) -> Self {
        let width = config.hidden_size;
        let patches = PatchEmbeddingConfig {
            channels: config.num_channels,
            patch: config.patch_size.get(),
            width,
            bias: true,
            std: config.initializer_range,
        };
        let is_deit = config.model_type == ViTModelType::Deit;
        let initializer = match is_deit {
            true => Initializer::Zeros,
            false => Initializer::Normal {
                mean: 0.0,
                std: config.initializer_range,
            },
        };
        let [height, image_width] = config.image_size.get();
        Self {
            class_token: initializer.init([1, 1, width], device),
            distillation_token: is_deit.then(|| initializer.init([1, 1, width], device)),
            patches: patches.init(format, device),
            positions: initializer.init([1, config.num_positions(), width], device),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            input: [config.num_channels, height, image_width],
        }
    }

    /// # Shapes
    /// - pixel values: `[batch, channels, height, width]`
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
        let tokens = [Some(&self.class_token), self.distillation_token.as_ref()];
        let mut parts: Vec<_> = tokens
            .into_iter()
            .flatten()
            .map(|token| token.val().repeat_dim(0, batch)) // [batch, 1, width]
            .collect();
        parts.push(self.patches.forward(pixel_values)); // [batch, patches, width]
        self.dropout
            .forward(Tensor::cat(parts, 1) + self.positions.val())
    }
}
