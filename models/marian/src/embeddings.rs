use burn::nn::Initializer;
use burn::tensor::{Device, Int, Tensor};
use packed_linear::{Format, PackedEmbedding};

use crate::MarianConfig;

/// A table of token embeddings, or of a head.
///
/// # Shapes
/// - table: `[rows, width]`
pub(crate) fn table(
    config: &MarianConfig,
    rows: usize,
    format: Option<Format>,
    device: &Device,
) -> PackedEmbedding {
    let normal = Initializer::Normal {
        mean: 0.0,
        std: config.init_std,
    };
    PackedEmbedding::new(rows, config.d_model, &normal, format, device)
}

/// Looks tokens up, scales them and adds the embeddings of their positions.
///
/// # Shapes
/// - tokens: `[rows, new]`
/// - positions: `[rows or 1, new, width]`
/// - output: `[rows, new, width]`
pub(crate) fn embed(
    table: &PackedEmbedding,
    scale: f64,
    tokens: Tensor<2, Int>,
    positions: Tensor<3>,
) -> Tensor<3> {
    table.forward(tokens) * scale + positions
}
