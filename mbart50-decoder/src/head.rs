use burn::tensor::Tensor;

/// Scores the tokens of a table.
///
/// # Shapes
/// - hidden: `[rows, new, width]`
/// - table: `[tokens, width]`
/// - bias: `[tokens]`
/// - output: `[rows, new, tokens]`
pub(crate) fn score(hidden: Tensor<3>, table: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
    let [rows, new, width] = hidden.dims();
    let [tokens, _] = table.dims();
    // Rank 2, so that the transposed table stays a view of the one that is stored.
    let hidden = hidden.reshape([rows * new, width]);
    let mut logits = hidden.matmul(table.transpose()); // [rows · new, tokens]
    if let Some(bias) = bias {
        logits = logits + bias.unsqueeze();
    }
    logits.reshape([rows, new, tokens])
}
