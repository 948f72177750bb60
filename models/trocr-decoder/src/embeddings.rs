use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Initializer};
use burn::tensor::{Device, Int, Tensor};
use packed_linear::{Format, LayerNorm, PackedEmbedding};
use transformer_layers::{embed_positions, embed_tokens};

use crate::TrocrDecoderConfig;
use crate::layer::NORM_EPSILON;
use crate::sinusoids::Sinusoids;

/// The row of the first position in the table of learned positions.
const POSITION_OFFSET: usize = 2;

/// Token and position embeddings, perhaps with a layer norm. A tied head shares the table of tokens.
///
/// Hugging Face: `TrOCRScaledWordEmbedding`, `TrOCRLearnedPositionalEmbedding`, `TrOCRSinusoidalPositionalEmbedding` and
/// `layernorm_embedding`.
#[derive(Module, Debug)]
pub(crate) struct Embeddings {
    tokens: PackedEmbedding, // [vocabulary, width]
    /// `[longest + 2, width]`, if positions are learned.
    positions: Option<Param<Tensor<2>>>,
    norm: Option<LayerNorm>,
    dropout: Dropout,
    /// If positions are not learned.
    #[module(skip)]
    sinusoids: Option<Sinusoids>,
    #[module(skip)]
    scale: f64,
    #[module(skip)]
    padding: Option<usize>,
}

impl Embeddings {
    pub(crate) fn new(
        config: &TrocrDecoderConfig,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let (width, longest) = (config.d_model, config.max_position_embeddings);
        let normal = Initializer::Normal {
            mean: 0.0,
            std: config.init_std,
        };
        let learned = config.use_learned_position_embeddings;
        Self {
            tokens: PackedEmbedding::new(config.vocab_size, width, &normal, format, device),
            positions: learned.then(|| normal.init([longest + POSITION_OFFSET, width], device)),
            norm: config
                .layernorm_embedding
                .then(|| LayerNorm::new(width, NORM_EPSILON, device)),
            dropout: DropoutConfig::new(config.dropout).init(),
            sinusoids: match (learned, config.pad_token_id) {
                (false, Some(padding)) => Some(Sinusoids::new(width, padding, longest)),
                _ => None,
            },
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
        let mut embedded = embed_tokens(&self.tokens, tokens.clone(), self.padding) * self.scale;
        if let Some(table) = &self.positions {
            embedded = embedded + embed_positions(&table.val(), POSITION_OFFSET, cohorts, new);
        } else if let Some(sinusoids) = &self.sinusoids {
            embedded = embedded + sinusoids.forward(tokens, cohorts);
        }
        let normed = match &self.norm {
            Some(norm) => norm.forward(embedded),
            None => embedded,
        };
        self.dropout.forward(normed)
    }

    /// The token table, `[vocabulary, width]`.
    pub(crate) fn token_table(&self) -> &PackedEmbedding {
        &self.tokens
    }
}
