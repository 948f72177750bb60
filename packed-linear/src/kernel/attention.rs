use super::output::Output;

/// Keys or values in memory. The vector of a position, `[head_width]`, starts at
/// `start + slot · strides[0] + head · strides[1] + position · strides[2]`.
#[derive(Clone, Copy)]
pub(crate) struct Vectors<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) start: usize,
    pub(crate) strides: [usize; 3],
}

impl Vectors<'_> {
    #[inline(always)]
    fn get(&self, slot: usize, head: usize, position: usize, width: usize) -> &[f32] {
        let [slots, heads, positions] = self.strides;
        let start = self.start + slot * slots + head * heads + position * positions;
        &self.values[start..start + width]
    }
}

/// What is added to the scaled products of queries and keys.
#[derive(Clone, Copy)]
pub(crate) struct Bias<'a> {
    /// `[kinds, heads, queries, length]`
    pub(crate) values: &'a [f32],
    /// The kinds of the batch items in turn; after the last comes the first again.
    pub(crate) of_items: &'a [u32],
}

/// Queries, and what they attend to.
#[derive(Clone, Copy)]
pub(crate) struct Attention<'a> {
    /// `[batch · queries, heads · head_width]`
    pub(crate) query: &'a [f32],
    pub(crate) batch: usize,
    pub(crate) heads: usize,
    pub(crate) head_width: usize,
    /// Positions.
    pub(crate) length: usize,
    pub(crate) keys: Vectors<'a>,
    pub(crate) values: Vectors<'a>,
    /// The slot that has a batch item's position, `[batch, length]`. Without it, item `i` has slot `i`.
    pub(crate) slots: Option<&'a [u32]>,
    pub(crate) bias: Option<Bias<'a>>,
}

impl Attention<'_> {
    /// Queries of a batch item.
    #[inline(always)]
    pub(super) fn queries(&self) -> usize {
        self.query.len() / (self.heads * self.head_width) / self.batch
    }

    /// What products of queries and keys are multiplied by.
    #[inline(always)]
    pub(super) fn scale(&self) -> f32 {
        (self.head_width as f32).sqrt().recip()
    }

    /// The key of a position, `[head_width]`.
    #[inline(always)]
    pub(super) fn key(&self, item: usize, head: usize, position: usize) -> &[f32] {
        let slot = self.slot(item, position);
        self.keys.get(slot, head, position, self.head_width)
    }

    /// The value of a position, `[head_width]`.
    #[inline(always)]
    pub(super) fn value(&self, item: usize, head: usize, position: usize) -> &[f32] {
        let slot = self.slot(item, position);
        self.values.get(slot, head, position, self.head_width)
    }

    /// Adds the bias of a query, which is counted in its batch item, to its scores.
    #[inline(always)]
    pub(super) fn add_bias(&self, [item, head, query]: [usize; 3], scores: &mut [f32]) {
        let Some(bias) = self.bias else {
            return;
        };
        let kind = bias.of_items[item % bias.of_items.len()] as usize;
        let row = (kind * self.heads + head) * self.queries() + query;
        let bias = &bias.values[row * self.length..][..self.length];
        for (score, bias) in scores.iter_mut().zip(bias) {
            *score += bias;
        }
    }

    #[inline(always)]
    fn slot(&self, item: usize, position: usize) -> usize {
        match self.slots {
            Some(slots) => slots[item * self.length + position] as usize,
            None => item,
        }
    }
}

/// A head of a batch item: which part of an attention a thread computes.
pub(super) struct Head<'a> {
    pub(super) item: usize,
    pub(super) head: usize,
    /// For intermediate results.
    pub(super) buffer: &'a mut Vec<f32>,
    /// `[batch · queries, heads · head_width]`
    pub(super) context: Output,
    /// `[batch, heads, queries, length]`, if the weights of the values are asked for.
    pub(super) weights: Option<Output>,
}
