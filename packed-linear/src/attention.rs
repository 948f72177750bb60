use burn::tensor::Tensor;

/// Keys and values that stand in memory as attention reads them.
#[derive(Clone, Copy, Debug)]
pub struct KeysValues<'a> {
    /// `[slots, heads, positions or more, head_width]`
    pub keys: &'a Tensor<4>,
    /// Likewise.
    pub values: &'a Tensor<4>,
    /// Positions that are attended to, from the first on.
    pub length: usize,
    /// In which slot a batch item has a position, `[batch, length]`; without it, in its own. So the
    /// texts of a beam search change places without their keys and values being moved.
    pub slots: Option<&'a [u32]>,
}

/// What [`attention`] gives.
#[derive(Clone, Debug)]
pub struct Attended {
    /// The values, weighted: `[batch · queries, heads · head_width]`.
    pub context: Tensor<2>,
    /// The weights, `[batch, heads, queries, length]`, if they were asked for.
    pub weights: Option<Tensor<4>>,
}

/// Scaled dot-product attention without a mask: the softmax of `q kᵀ / √head_width`, times the
/// values. Nothing is copied, whatever the strides of keys and values are. Reference: Vaswani et al.,
/// "Attention Is All You Need", 2017.
///
/// `None` where there is no kernel for it: on other devices than Flex, for tensors of other types, and
/// for heads wider than 256.
///
/// # Shapes
/// - query: `[batch · queries, heads · head_width]`
///
/// # Panics
/// If keys and values have other shapes than each other or than the query, or a slot that is named is
/// not there.
pub fn attention(
    query: &Tensor<2>,
    batch: usize,
    keys_values: KeysValues<'_>,
    with_weights: bool,
) -> Option<Attended> {
    let [slots, heads, positions, head_width] = keys_values.keys.dims();
    let [rows, width] = query.dims();
    assert_eq!(
        keys_values.values.dims(),
        keys_values.keys.dims(),
        "values and keys"
    );
    assert_eq!(heads * head_width, width, "width of queries");
    assert!(
        batch > 0 && rows.is_multiple_of(batch),
        "{rows} queries of {batch} batch items"
    );
    assert!(
        keys_values.length > 0 && keys_values.length <= positions,
        "{} of {positions} positions",
        keys_values.length
    );
    match keys_values.slots {
        Some(named) => {
            assert_eq!(named.len(), batch * keys_values.length, "slots");
            let there = named.iter().all(|slot| (*slot as usize) < slots);
            assert!(there, "a slot that is named is not there");
        }
        None => assert!(batch <= slots, "{batch} batch items in {slots} slots"),
    }
    #[cfg(feature = "flex")]
    return crate::flex::attention(query, batch, keys_values, with_weights);
    #[cfg(not(feature = "flex"))]
    {
        let _ = with_weights;
        None
    }
}
