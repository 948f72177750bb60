use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Initializer, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Int, Tensor, s};
use packed_linear::{Format, PackedEmbedding, apply_norm};

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
        let mut positions: Vec<_> = cohorts
            .map(|(rows, start)| (rows, self.positions(start, new)))
            .collect();
        let positions = match positions.len() {
            1 => positions.swap_remove(0).1, // [1, new, width]
            _ => {
                let of_rows = |(rows, of_row): (usize, Tensor<3>)| of_row.repeat_dim(0, rows);
                Tensor::cat(positions.into_iter().map(of_rows).collect(), 0)
            }
        };
        let tokens = self.embed(tokens) * self.scale;
        let normed = apply_norm(&self.norm, NORM_EPSILON, tokens + positions);
        self.dropout.forward(normed)
    }

    /// The embeddings of `new` positions, `[1, new, width]`.
    fn positions(&self, start: usize, new: usize) -> Tensor<3> {
        let table = self.positions.val();
        let longest = table.dims()[0] - POSITION_OFFSET;
        assert!(
            start + new <= longest,
            "{} tokens exceed max_position_embeddings {longest}",
            start + new
        );
        let first = start + POSITION_OFFSET;
        table.slice(s![first..first + new, ..]).unsqueeze()
    }

    /// Looks tokens up. In training, padding gives the table no gradient.
    fn embed(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let embedded = self.tokens.forward(tokens.clone()); // [rows, new, width]
        if !embedded.device().is_autodiff() {
            return embedded;
        }
        let is_padding = tokens.equal_elem(self.padding as i64).unsqueeze_dim::<3>(2);
        let is_padding = is_padding.expand(embedded.dims());
        let constant = embedded.clone().detach();
        embedded.mask_where(is_padding, constant)
    }

    /// The token table, `[vocabulary, width]`.
    pub(crate) fn token_table(&self) -> &PackedEmbedding {
        &self.tokens
    }
}
