use rayon::prelude::*;

use super::Kernel;
use super::functions::softmax;
use super::many_queries;
use super::multiply::Output;
use super::tile::BLOCK_STEPS;
use super::vector::Vector;
use crate::spare;

/// Keys or values in memory: a head's vector of a position begins at
/// `start + slot · strides[0] + head · strides[1] + position · strides[2]`.
#[derive(Clone, Copy)]
pub(crate) struct Vectors<'a> {
    pub(crate) numbers: &'a [f32],
    pub(crate) start: usize,
    pub(crate) strides: [usize; 3],
}

impl Vectors<'_> {
    #[inline(always)]
    fn get(&self, slot: usize, head: usize, position: usize, width: usize) -> &[f32] {
        let [slots, heads, positions] = self.strides;
        let start = self.start + slot * slots + head * heads + position * positions;
        &self.numbers[start..start + width]
    }
}

/// What queries attend to.
#[derive(Clone, Copy)]
pub(crate) struct Attention<'a> {
    /// `[batch · queries, heads · head_width]`
    pub(crate) query: &'a [f32],
    pub(crate) batch: usize,
    pub(crate) heads: usize,
    pub(crate) head_width: usize,
    pub(crate) length: usize,
    pub(crate) keys: Vectors<'a>,
    pub(crate) values: Vectors<'a>,
    /// In which slot a batch item has a position, `[batch, length]`; without it, in its own.
    pub(crate) slots: Option<&'a [u32]>,
}

impl Attention<'_> {
    /// Queries of a batch item.
    #[inline(always)]
    pub(super) fn queries(&self) -> usize {
        self.query.len() / (self.heads * self.head_width) / self.batch
    }

    #[inline(always)]
    pub(super) fn scale(&self) -> f32 {
        (self.head_width as f32).powf(-0.5)
    }

    /// The key of a position, `[head_width]`.
    #[inline(always)]
    pub(super) fn key(&self, item: usize, head: usize, position: usize) -> &[f32] {
        let slot = self.slot(item, position);
        self.keys.get(slot, head, position, self.head_width)
    }

    /// The value of a position, likewise.
    #[inline(always)]
    pub(super) fn value(&self, item: usize, head: usize, position: usize) -> &[f32] {
        let slot = self.slot(item, position);
        self.values.get(slot, head, position, self.head_width)
    }

    /// Where a position of a batch item stands.
    #[inline(always)]
    fn slot(&self, item: usize, position: usize) -> usize {
        match self.slots {
            Some(slots) => slots[item * self.length + position] as usize,
            None => item,
        }
    }
}

/// Products below which one thread is faster.
const PRODUCTS_FOR_THREADS: usize = 1 << 15;

/// Heads are handed out in so many portions for each thread.
const PORTIONS: usize = 4;

/// Softmax of the scaled products of queries and keys, times values: `[batch · queries, heads ·
/// head_width]`. The weights of the values are written to `weights`, `[batch, heads, queries, length]`,
/// if somebody wants them.
pub(crate) fn attend(
    kernel: &Kernel,
    attention: Attention<'_>,
    weights: Option<&mut [f32]>,
) -> Vec<f32> {
    let Attention {
        query,
        batch,
        heads,
        head_width,
        length,
        ..
    } = attention;
    let mut output = spare::take(query.len());
    if let Some(weights) = &weights {
        let queries = query.len() / head_width;
        assert_eq!(weights.len(), queries * length, "weights of attention");
    }
    let places = Places {
        output: Output::of_room(&mut output, query.len()),
        weights: weights.map(Output::new),
    };
    let one = |scores: &mut Vec<f32>, pair: usize| {
        let pair = Pair {
            item: pair / heads,
            head: pair % heads,
            scores,
            places,
        };
        // SAFETY: a kernel is only chosen where the processor has its instructions, and no other pair
        // writes these columns.
        unsafe { (kernel.attend)(&attention, pair) };
    };
    let pairs = 0..batch * heads;
    if query.len() * length < PRODUCTS_FOR_THREADS || rayon::current_num_threads() == 1 {
        let mut scores = Vec::new();
        pairs.for_each(|pair| one(&mut scores, pair));
    } else {
        let portion = pairs
            .len()
            .div_ceil(PORTIONS * rayon::current_num_threads());
        let pairs = pairs.into_par_iter().with_min_len(portion);
        pairs.for_each_init(Vec::new, one);
    }
    // SAFETY: there is room for so many, and all pairs together wrote every one.
    unsafe { output.set_len(query.len()) };
    output
}

/// Where results go.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub(super) output: Output,
    pub(super) weights: Option<Output>,
}

/// A head of a batch item, and where it works.
pub(super) struct Pair<'a> {
    pub(super) item: usize,
    pub(super) head: usize,
    /// Room for whatever is needed meanwhile.
    pub(super) scores: &'a mut Vec<f32>,
    pub(super) places: Places,
}

/// Attends with all queries of a batch item, as one head.
///
/// # Safety
/// The processor has the function's instructions, and nobody else writes the columns of this batch
/// item and head.
pub(super) type Head = unsafe fn(&Attention<'_>, Pair<'_>);

/// Attends as one head, with vectors of the type `V`.
///
/// # Safety
/// As [`Head`].
#[inline(always)]
pub(super) unsafe fn attend_as_head<V: Vector>(attention: &Attention<'_>, pair: Pair<'_>) {
    let queries = attention.queries();
    if many_queries::is_for::<V>(queries, attention.head_width) {
        // SAFETY: as the caller promises.
        unsafe { many_queries::attend::<V>(attention, pair) };
        return;
    }
    let Pair {
        item,
        head,
        scores,
        places,
    } = pair;
    let &Attention {
        query,
        heads,
        head_width,
        length,
        ..
    } = attention;
    let width = heads * head_width;
    let scale = attention.scale();
    scores.resize(length.next_multiple_of(V::NUMBERS), 0.0);
    let mut sums = [0.0; MOST_HEAD_WIDTH];
    let sums = &mut sums[..head_width];
    let mut block = [0.0; MOST_HEAD_WIDTH];
    let block = &mut block[..head_width];
    for row in item * queries..(item + 1) * queries {
        let query = &query[row * width + head * head_width..][..head_width];
        for position in 0..length {
            let key = attention.key(item, head, position);
            // SAFETY: as the caller promises.
            scores[position] = unsafe { V::product(query, key) } * scale;
        }
        // SAFETY: as the caller promises.
        unsafe { softmax::<V>(scores, length) };
        sums.fill(0.0);
        for first in (0..length).step_by(BLOCK_STEPS) {
            block.fill(0.0);
            for position in first..length.min(first + BLOCK_STEPS) {
                let value = attention.value(item, head, position);
                // SAFETY: as the caller promises.
                unsafe { V::add_product(block, scores[position], value) };
            }
            // SAFETY: as the caller promises.
            unsafe { V::add_product(sums, 1.0, block) };
        }
        // SAFETY: inside of the output, which is as long as the query, and in columns that are ours.
        unsafe { places.output.write(row * width + head * head_width, sums) };
        if let Some(weights) = places.weights {
            let place = (item * heads + head) * queries + row - item * queries;
            // SAFETY: inside of the weights, whose length was checked, and those of this query.
            unsafe { weights.write(place * length, &scores[..length]) };
        }
    }
}

/// The widest head that is attended with here.
pub(crate) const MOST_HEAD_WIDTH: usize = 256;
