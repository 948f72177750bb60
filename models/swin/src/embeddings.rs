use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Initializer};
use burn::tensor::{Device, Tensor};
use packed_linear::{Format, LayerNorm};
use transformer_layers::{PatchEmbedding, PatchEmbeddingConfig};

use crate::SwinConfig;

/// The epsilon of the norms that `layer_norm_eps` does not concern, which is PyTorch's default.
pub(crate) const NORM_EPSILON: f64 = 1e-5;

/// Embeds the patches of an image, normalises them and adds learned positions, if there are any.
///
/// Hugging Face: `SwinEmbeddings`, `DonutSwinEmbeddings`.
#[derive(Module, Debug)]
pub(crate) struct Embeddings {
    patches: PatchEmbedding,
    norm: LayerNorm,
    positions: Option<Param<Tensor<3>>>, // [1, patches, width]
    dropout: Dropout,
    #[module(skip)]
    channels: usize,
    #[module(skip)]
    patch: [usize; 2],
    /// Rows and columns that there are learned positions for.
    #[module(skip)]
    grid: [usize; 2],
}

impl Embeddings {
    pub(crate) fn new(config: &SwinConfig, format: Option<Format>, device: &Device) -> Self {
        let width = config.embed_dim;
        let patch = config.patch_size.get();
        let patches = PatchEmbeddingConfig {
            channels: config.num_channels,
            patch,
            width,
            bias: true,
            std: config.initializer_range,
        };
        let grid = config.patches();
        let positions = [1, grid[0] * grid[1], width];
        Self {
            patches: patches.init(format, device),
            norm: LayerNorm::new(width, NORM_EPSILON, device),
            positions: config
                .use_absolute_embeddings
                .then(|| Initializer::Zeros.init(positions, device)),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            channels: config.num_channels,
            patch,
            grid,
        }
    }

    /// The embedded patches, and how many rows and columns of them there are. An image whose sides are no multiples
    /// of a patch is padded with zeros at the right and the bottom.
    ///
    /// # Shapes
    /// - pixel values: `[batch, channels, height, width]`
    /// - output: `[batch, patches, width]`, row by row from the top left
    ///
    /// # Panics
    /// If the channels are not those of the configuration, or, with learned positions, the size of the image.
    pub(crate) fn forward(&self, pixel_values: Tensor<4>) -> (Tensor<3>, [usize; 2]) {
        let [_, channels, height, width] = pixel_values.dims();
        assert_eq!(channels, self.channels, "channels of the pixel values");
        let [patch_height, patch_width] = self.patch;
        let grid = [height.div_ceil(patch_height), width.div_ceil(patch_width)];
        let missing = [
            grid[0] * patch_height - height,
            grid[1] * patch_width - width,
        ];
        let pixel_values = match missing {
            [0, 0] => pixel_values,
            [bottom, right] => pixel_values.pad((0, right, 0, bottom), 0.0),
        };
        let embedded = self.norm.forward(self.patches.forward(pixel_values));
        let embedded = match &self.positions {
            Some(positions) => {
                assert_eq!(grid, self.grid, "rows and columns of patches");
                embedded + positions.val()
            }
            None => embedded,
        };
        (self.dropout.forward(embedded), grid)
    }
}
