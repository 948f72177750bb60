use burn::tensor::{Bool, Tensor};

/// Some of the columns of a tensor: queries, keys or values that were computed next to each other.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    /// `[batch · positions, width or more]`
    pub tensor: &'a Tensor<2>,
    /// The first column.
    pub first: usize,
}

/// Scaled dot-product attention, with a backward pass, of queries to keys and values that are columns of the
/// outputs of [`PackedLinear::forward_joined`](crate::PackedLinear::forward_joined). A query whose keys are all
/// hidden takes the mean of all values.
///
/// Returns `None` where [`has_gradients`](crate::has_gradients) is false, for tensors that are not `f32`, and for
/// masks that differ between heads.
///
/// Reference: Vaswani et al., "Attention Is All You Need", 2017.
///
/// # Shapes
/// - queries, keys, values: `heads · head_width` columns
/// - mask: `[batch or 1, 1, queries or 1, positions]`, true = hidden
/// - output: `[batch · queries, heads · head_width]`
///
/// # Panics
/// If the shapes don't fit together.
pub fn attention_of_columns(
    columns: [Columns<'_>; 3],
    [batch, heads, head_width]: [usize; 3],
    mask: Option<&Tensor<4, Bool>>,
) -> Option<Tensor<2>> {
    let [queries, keys, values] = columns.map(|columns| columns.tensor.dims()[0]);
    assert_eq!(keys, values, "rows of keys and values");
    let are_whole = [queries, keys]
        .iter()
        .all(|rows| rows.is_multiple_of(batch.max(1)));
    assert!(
        batch > 0 && are_whole,
        "{queries} queries and {keys} keys of {batch} batch items"
    );
    #[cfg(feature = "autodiff")]
    return crate::autodiff::attention::attention(columns, [batch, heads, head_width], mask);
    #[cfg(not(feature = "autodiff"))]
    {
        let _ = (heads, head_width, mask);
        None
    }
}
