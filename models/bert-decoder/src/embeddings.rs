use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Initializer};
use burn::tensor::module::embedding;
use burn::tensor::{Device, Int, Tensor, s};
use packed_linear::{Format, LayerNorm, PackedEmbedding};
use transformer_layers::{
    embed_positions, embed_tokens, positions_beside_padding, without_gradient,
};

use crate::BertDecoderConfig;
use crate::variant::Variant;

/// Token, position and type embeddings with their layer norm. A tied head shares the table of tokens.
///
/// Hugging Face: `BertEmbeddings` and `RobertaEmbeddings`.
#[derive(Module, Debug)]
pub(crate) struct Embeddings {
    tokens: PackedEmbedding,     // [vocabulary, width]
    positions: Param<Tensor<2>>, // [positions, width]
    types: Param<Tensor<2>>,     // [types, width]
    norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    padding: Option<usize>,
    /// The position of padding tokens; other positions are counted from the next. `None` if padding tokens are counted
    /// like others, from 0.
    #[module(skip)]
    padding_position: Option<usize>,
}

impl Embeddings {
    pub(crate) fn new(
        config: &BertDecoderConfig,
        variant: Variant,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        let width = config.hidden_size;
        let normal = Initializer::Normal {
            mean: 0.0,
            std: config.initializer_range,
        };
        Self {
            tokens: PackedEmbedding::new(config.vocab_size, width, &normal, format, device),
            positions: normal.init([config.max_position_embeddings, width], device),
            types: normal.init([config.type_vocab_size, width], device),
            norm: LayerNorm::new(width, config.layer_norm_eps, device),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            padding: config.pad_token_id,
            padding_position: match variant {
                Variant::Bert => None,
                Variant::Roberta => config.pad_token_id,
            },
        }
    }

    /// Embeds tokens, all of the first type. `cohorts` are, in the order of the rows, numbers of rows that begin at the
    /// same position, and that position.
    ///
    /// # Shapes
    /// - tokens: `[rows, new]`
    /// - output: `[rows, new, width]`
    ///
    /// # Panics
    /// If the last position is beyond the table.
    pub(crate) fn forward(
        &self,
        tokens: Tensor<2, Int>,
        cohorts: impl Iterator<Item = (usize, usize)>,
    ) -> Tensor<3> {
        let [_, new] = tokens.dims();
        let table = self.positions.val();
        let positions = match self.padding_position {
            None => embed_positions(&table, 0, cohorts, new),
            Some(padding) => {
                let longest = table.dims()[0] - padding - 1;
                let positions = positions_beside_padding(tokens.clone(), padding, cohorts, longest);
                let of_padding = positions.clone().equal_elem(padding as i64);
                without_gradient(embedding(table, positions), of_padding)
            }
        };
        let of_type = self.types.val().slice(s![0..1, ..]).unsqueeze::<3>(); // [1, 1, width]
        let tokens = embed_tokens(&self.tokens, tokens, self.padding);
        let normed = self.norm.forward(tokens + of_type + positions);
        self.dropout.forward(normed)
    }

    /// The token table, `[vocabulary, width]`.
    pub(crate) fn token_table(&self) -> &PackedEmbedding {
        &self.tokens
    }
}
