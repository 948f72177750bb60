use burn::tensor::Tensor;

use crate::{Attended, AttentionBias, KeysValues};

/// Scaled dot-product attention without a mask: the softmax of `q kᵀ / √head_width`, times the values.
/// Keys and values are not copied, whatever their strides.
///
/// Returns `None` where no kernel can compute it: on devices without kernels (see
/// [`has_kernels`](crate::has_kernels)), for tensors that are not `f32`, and if the vectors of keys or
/// values are not contiguous.
///
/// Reference: Vaswani et al., "Attention Is All You Need", 2017.
///
/// # Shapes
/// - query: `[batch · queries, heads · head_width]`
///
/// # Panics
/// If the shapes of query, keys and values don't fit together, if `length` is 0 or more than there are
/// positions, if `slots` has another length than `[batch, length]` or names a slot that doesn't exist, or
/// if without `slots` there are more batch items than slots.
pub fn attention(
    query: &Tensor<2>,
    batch: usize,
    keys_values: KeysValues<'_>,
    with_weights: bool,
) -> Option<Attended> {
    check(query, batch, &keys_values);
    by_kernel(query, batch, keys_values, None, with_weights)
}

/// [`attention`] with a bias, which is added to the scaled products of queries and keys.
///
/// Returns `None` where no kernel can compute it: on devices without kernels (see
/// [`has_kernels`](crate::has_kernels)), for tensors that are not `f32`, and if the vectors of keys or
/// values are not contiguous.
///
/// # Shapes
/// - query, output: `[batch · queries, heads · head_width]`
///
/// # Panics
/// If the shapes of query, keys, values and bias don't fit together, if `of_items` is empty, divides the batch
/// unevenly or names a kind that doesn't exist, or for what [`attention`] panics for.
pub fn biased_attention(
    query: &Tensor<2>,
    batch: usize,
    keys_values: KeysValues<'_>,
    bias: AttentionBias<'_>,
) -> Option<Tensor<2>> {
    check(query, batch, &keys_values);
    let [rows, _] = query.dims();
    let [_, heads, _, _] = keys_values.keys.dims();
    let [kinds, of_kind @ ..] = bias.kinds.dims();
    assert_eq!(
        of_kind,
        [heads, rows / batch, keys_values.length],
        "heads, queries and keys of a bias"
    );
    let of_items = bias.of_items;
    let exist = of_items.iter().all(|kind| (*kind as usize) < kinds);
    assert!(exist, "a kind of bias is not below {kinds}");
    assert!(
        !of_items.is_empty() && batch.is_multiple_of(of_items.len()),
        "{} kinds of bias for {batch} batch items",
        of_items.len()
    );
    Some(by_kernel(query, batch, keys_values, Some(bias), false)?.context)
}

/// # Panics
/// If the shapes don't fit together.
fn check(query: &Tensor<2>, batch: usize, keys_values: &KeysValues<'_>) {
    let [slots, heads, positions, head_width] = keys_values.keys.dims();
    let [rows, width] = query.dims();
    assert_eq!(
        keys_values.values.dims(),
        keys_values.keys.dims(),
        "shapes of values and keys"
    );
    assert_eq!(heads * head_width, width, "width of the query");
    assert!(
        batch > 0 && rows.is_multiple_of(batch),
        "{rows} queries for {batch} batch items"
    );
    assert!(
        keys_values.length > 0 && keys_values.length <= positions,
        "can't attend to {} of {positions} positions",
        keys_values.length
    );
    match keys_values.slots {
        Some(table) => {
            assert_eq!(table.len(), batch * keys_values.length, "length of slots");
            let exist = table.iter().all(|slot| (*slot as usize) < slots);
            assert!(exist, "a slot is not below {slots}");
        }
        None => assert!(batch <= slots, "{batch} batch items in {slots} slots"),
    }
}

fn by_kernel(
    query: &Tensor<2>,
    batch: usize,
    keys_values: KeysValues<'_>,
    bias: Option<AttentionBias<'_>>,
    with_weights: bool,
) -> Option<Attended> {
    #[cfg(feature = "flex")]
    return crate::flex::attention::attention(query, batch, keys_values, bias, with_weights);
    #[cfg(not(feature = "flex"))]
    {
        let _ = (query, batch, keys_values, bias, with_weights);
        None
    }
}
