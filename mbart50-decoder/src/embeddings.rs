use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Initializer, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Int, Tensor};
use packed_linear::{Format, PackedEmbedding, apply_norm};
use transformer_layers::{embed_positions, embed_tokens};

use crate::MBartDecoderConfig;
use crate::layer::NORM_EPSILON;

/// The row of the first position in mBART's table of positions.
const POSITION_OFFSET: usize = 2;

/// Token and position embeddings with their layer norm. A tied head shares the table of tokens.
///
/// Hugging Face: `MBartScaledWordEmbedding`, `MBartLearnedPositionalEmbedding` and
/// `layernorm_embedding`.
#[derive(Module, Debug)]
pub(crate) struct Embeddings {
    tokens: PackedEmbedding,     // [vocabulary, width]
    positions: Param<Tensor<2>>, // [longest + 2, width]
    norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    scale: f64,
    #[module(skip)]
    padding: usize,
}

impl Embeddings {
    pub(crate) fn new(
        config: &MBartDecoderConfig,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let width = config.d_model;
        let normal = Initializer::Normal {
            mean: 0.0,
            std: config.init_std,
        };
        let positions = config.max_position_embeddings + POSITION_OFFSET;
        Self {
            tokens: PackedEmbedding::new(config.vocab_size, width, &normal, format, device),
            positions: normal.init([positions, width], device),
            norm: LayerNormConfig::new(width)
                .with_epsilon(NORM_EPSILON)
                .init(device),
            dropout: DropoutConfig::new(config.dropout).init(),
            scale: if config.scale_embedding {
                (width as f64).sqrt()
            } else {
                1.0
            },
            padding: config.pad_token_id,
        }
    }

    /// Embeds tokens. `cohorts` are, in the order of the rows, numbers of rows that begin at the same position,
    /// and that position.
    ///
    /// # Shapes
    /// - tokens: `[rows, new]`
    /// - output: `[rows, new, width]`
    ///
    /// # Panics
    /// If the last position is beyond `max_position_embeddings`.
    pub(crate) fn forward(
        &self,
        tokens: Tensor<2, Int>,
        cohorts: impl Iterator<Item = (usize, usize)>,
    ) -> Tensor<3> {
        let [_, new] = tokens.dims();
        let positions = embed_positions(&self.positions.val(), POSITION_OFFSET, cohorts, new);
        let tokens = embed_tokens(&self.tokens, tokens, Some(self.padding)) * self.scale;
        let normed = apply_norm(&self.norm, NORM_EPSILON, tokens + positions);
        self.dropout.forward(normed)
    }

    /// The token table, `[vocabulary, width]`.
    pub(crate) fn token_table(&self) -> &PackedEmbedding {
        &self.tokens
    }
}
