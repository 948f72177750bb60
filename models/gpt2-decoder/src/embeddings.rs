use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Initializer};
use burn::tensor::{Device, Int, Tensor};
use packed_linear::{Format, PackedEmbedding};
use transformer_layers::{embed_positions, embed_tokens};

use crate::Gpt2DecoderConfig;

/// Token and position embeddings. A tied head shares the table of tokens.
///
/// Hugging Face: `wte` and `wpe` of `GPT2Model`.
#[derive(Module, Debug)]
pub(crate) struct Embeddings {
    tokens: PackedEmbedding,     // [vocabulary, width]
    positions: Param<Tensor<2>>, // [longest, width]
    dropout: Dropout,
}

impl Embeddings {
    pub(crate) fn new(config: &Gpt2DecoderConfig, format: Option<Format>, device: &Device) -> Self {
        let width = config.n_embd;
        let normal = Initializer::Normal {
            mean: 0.0,
            std: config.initializer_range,
        };
        Self {
            tokens: PackedEmbedding::new(config.vocab_size, width, &normal, format, device),
            positions: normal.init([config.n_positions, width], device),
            dropout: DropoutConfig::new(config.embd_pdrop).init(),
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
    /// If the last position is beyond `n_positions`.
    pub(crate) fn forward(
        &self,
        tokens: Tensor<2, Int>,
        cohorts: impl Iterator<Item = (usize, usize)>,
    ) -> Tensor<3> {
        let [_, new] = tokens.dims();
        let positions = embed_positions(&self.positions.val(), 0, cohorts, new);
        let tokens = embed_tokens(&self.tokens, tokens, None);
        self.dropout.forward(tokens + positions)
    }

    /// The token table, `[vocabulary, width]`.
    pub(crate) fn token_table(&self) -> &PackedEmbedding {
        &self.tokens
    }
}
