//! Attention of many queries to the same keys and values, as products of matrices.

use super::attention::{Attention, Head};
use super::softmax::softmax;
use super::vector::{Vector, blocks};

/// Queries that are multiplied by the same vectors while these are in registers.
const QUERIES: usize = 4;

/// From this many queries on, transposing the keys element by element is worth it.
const LEAST_QUERIES: usize = 8;

/// Whether [`attend`] can compute an attention and is faster for it.
#[inline(always)]
pub(super) fn suits<V: Vector>(attention: &Attention<'_>) -> bool {
    attention.queries() >= LEAST_QUERIES && attention.head_width.is_multiple_of(2 * V::WIDTH)
}

/// Attends as one head, with vectors of the type `V`.
///
/// # Safety
/// The processor has the instructions of the vector, and [`suits`] is true. The outputs have room for what
/// their shapes say, and no other thread accesses those of this batch item and head.
#[inline(always)]
pub(super) unsafe fn attend<V: Vector>(attention: &Attention<'_>, head: Head<'_>) {
    let &Attention {
        query,
        heads,
        head_width,
        length,
        ..
    } = attention;
    let Head {
        item,
        head,
        buffer,
        context,
        weights,
    } = head;
    let width = heads * head_width;
    let queries = attention.queries();
    let padded = length.next_multiple_of(2 * V::WIDTH);
    buffer.clear();
    buffer.resize((head_width + QUERIES) * padded, 0.0);
    let (keys, scores) = buffer.split_at_mut(head_width * padded); // [head_width, padded], [QUERIES, padded]
    for position in 0..length {
        let key = attention.key(item, head, position);
        for column in 0..head_width {
            // SAFETY: the key has `head_width` elements, and there are as many rows of `padded` keys.
            unsafe {
                *keys.get_unchecked_mut(column * padded + position) = *key.get_unchecked(column);
            }
        }
    }
    for first in (0..queries).step_by(QUERIES) {
        // If there are fewer queries left, the last of them is computed several times.
        let row_of = |place: usize| item * queries + (first + place).min(queries - 1);
        let mut rows: [&[f32]; QUERIES] = [&[]; QUERIES];
        for place in 0..QUERIES {
            rows[place] = &query[row_of(place) * width + head * head_width..][..head_width];
        }
        for start in (0..padded).step_by(2 * V::WIDTH) {
            let keys = |column: usize| &keys[column * padded + start..][..2 * V::WIDTH];
            // SAFETY: as the caller promises; rows of keys and of scores have `padded` elements.
            unsafe {
                let sums = products::<V>(rows, keys);
                let scale = V::splat(attention.scale());
                for place in 0..QUERIES {
                    let scores = scores[place * padded + start..][..2 * V::WIDTH].as_mut_ptr();
                    sums[place][0].multiply(scale).store(scores);
                    sums[place][1].multiply(scale).store(scores.add(V::WIDTH));
                }
            }
        }
        for (place, scores) in scores.chunks_exact_mut(padded).enumerate() {
            attention.add_bias([item, head, row_of(place) - item * queries], scores);
            // SAFETY: as the caller promises.
            unsafe { softmax::<V>(scores, length) };
        }
        for place in 0..QUERIES {
            rows[place] = &scores[place * padded..][..length];
        }
        for start in (0..head_width).step_by(2 * V::WIDTH) {
            let values = |position: usize| {
                &attention.value(item, head, position)[start..start + 2 * V::WIDTH]
            };
            // SAFETY: as the caller promises; these columns are those of this head.
            unsafe {
                let sums = products::<V>(rows, values);
                for place in 0..QUERIES {
                    let output = context.at(row_of(place) * width + head * head_width + start);
                    sums[place][0].store(output);
                    sums[place][1].store(output.add(V::WIDTH));
                }
            }
        }
        if let Some(weights) = weights {
            for place in 0..QUERIES.min(queries - first) {
                let query = (item * heads + head) * queries + first + place;
                // SAFETY: as the caller promises; these weights are those of this head.
                unsafe { weights.write(query * length, rows[place]) };
            }
        }
    }
}

/// The products of some rows and a matrix, two vectors of its columns: the sums over `k` of
/// `rows[..][k] · columns(k)`.
///
/// # Safety
/// The processor has the instructions of the vector; `columns` returns two vectors.
#[inline(always)]
unsafe fn products<'a, V: Vector>(
    rows: [&[f32]; QUERIES],
    columns: impl Fn(usize) -> &'a [f32],
) -> [[V; 2]; QUERIES] {
    // SAFETY: as the caller promises.
    unsafe {
        let mut sums = [[V::splat(0.0); 2]; QUERIES];
        for block in blocks(rows[0].len()) {
            let mut block_sums = [[V::splat(0.0); 2]; QUERIES];
            for k in block {
                let columns = columns(k).as_ptr();
                let (low, high) = (V::load(columns), V::load(columns.add(V::WIDTH)));
                for row in 0..QUERIES {
                    let value = V::splat(rows[row][k]);
                    block_sums[row][0] = value.multiply_add(low, block_sums[row][0]);
                    block_sums[row][1] = value.multiply_add(high, block_sums[row][1]);
                }
            }
            for row in 0..QUERIES {
                for half in 0..2 {
                    sums[row][half] = sums[row][half].add(block_sums[row][half]);
                }
            }
        }
        sums
    }
}
