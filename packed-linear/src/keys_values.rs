use burn::tensor::Tensor;

/// The keys and values that [`attention`](crate::attention()) reads.
#[derive(Clone, Copy, Debug)]
pub struct KeysValues<'a> {
    /// `[slots, heads, positions or more, head_width]`
    pub keys: &'a Tensor<4>,
    /// `[slots, heads, positions or more, head_width]`
    pub values: &'a Tensor<4>,
    /// How many positions are attended to, from the first on.
    pub length: usize,
    /// For each batch item and position the slot that holds its key and value, `[batch, length]`. Without
    /// it, item `i` has slot `i`. A beam search reorders its hypotheses in this table and leaves the keys
    /// and values where they are.
    pub slots: Option<&'a [u32]>,
}

/// What [`biased_attention`](crate::biased_attention) adds to the scaled products of queries and keys, such as a
/// bias for their relative positions, and a large negative number where a query does not attend to a key.
#[derive(Clone, Copy, Debug)]
pub struct AttentionBias<'a> {
    /// `[kinds, heads, queries, length]`
    pub kinds: &'a Tensor<4>,
    /// The kinds of the batch items in turn. After the last comes the first again: the windows of one image say
    /// what those of every image have.
    pub of_items: &'a [u32],
}

/// The result of [`attention`](crate::attention()).
#[derive(Clone, Debug)]
pub struct Attended {
    /// The weighted sums of the values, `[batch · queries, heads · head_width]`.
    pub context: Tensor<2>,
    /// The weights, `[batch, heads, queries, length]`, if they were asked for.
    pub weights: Option<Tensor<4>>,
}
