use burn::tensor::Tensor;
use packed_linear::PackedEmbedding;

/// The products of hidden states with every row of a table.
///
/// # Shapes
/// - hidden: `[rows, new, width]`
/// - table: `[tokens, width]`
/// - bias: `[tokens]`
/// - output: `[rows, new, tokens]`
pub(crate) fn score(
    hidden: Tensor<3>,
    table: &PackedEmbedding,
    bias: Option<Tensor<1>>,
) -> Tensor<3> {
    let [rows, new, width] = hidden.dims();
    let logits = table.scores(hidden.reshape([rows * new, width]), bias); // [rows · new, tokens]
    let [_, tokens] = logits.dims();
    logits.reshape([rows, new, tokens])
}
