//! Attention of many queries to the same keys and values, as products of matrices.

use super::attention::{Attention, Pair};
use super::functions::softmax;
use super::tile::BLOCK_STEPS;
use super::vector::Vector;

/// Queries that are multiplied by the same numbers while those are at hand.
const QUERIES: usize = 4;

/// Queries from which on the transposing of keys, one number after the other, is worth it.
const LEAST_QUERIES: usize = 8;

/// Whether [`attend`] is for so many queries, and can read vectors of so many numbers.
#[inline(always)]
pub(super) fn is_for<V: Vector>(queries: usize, head_width: usize) -> bool {
    queries >= LEAST_QUERIES && head_width.is_multiple_of(2 * V::NUMBERS)
}

/// Attends as one head, with vectors of the type `V`.
///
/// # Safety
/// As [`Head`](super::attention::Head), and [`is_for`] says so.
#[inline(always)]
pub(super) unsafe fn attend<V: Vector>(attention: &Attention<'_>, pair: Pair<'_>) {
    let &Attention {
        query,
        heads,
        head_width,
        length,
        ..
    } = attention;
    let Pair {
        item,
        head,
        scores: room,
        places,
    } = pair;
    let width = heads * head_width;
    let queries = attention.queries();
    let padded = length.next_multiple_of(2 * V::NUMBERS);
    room.clear();
    room.resize((head_width + QUERIES) * padded, 0.0);
    let (transposed, scores) = room.split_at_mut(head_width * padded);
    for position in 0..length {
        let key = attention.key(item, head, position);
        for place in 0..head_width {
            // SAFETY: a place of the key, and one of `head_width` rows that are `padded` long.
            unsafe {
                *transposed.get_unchecked_mut(place * padded + position) =
                    *key.get_unchecked(place);
            }
        }
    }
    for first in (0..queries).step_by(QUERIES) {
        // The last few queries are completed with the last of them, computed again.
        let row = |place: usize| item * queries + (first + place).min(queries - 1);
        let mut rows: [&[f32]; QUERIES] = [&[]; QUERIES];
        for place in 0..QUERIES {
            rows[place] = &query[row(place) * width + head * head_width..][..head_width];
        }
        for start in (0..padded).step_by(2 * V::NUMBERS) {
            let keys = |place: usize| &transposed[place * padded + start..][..2 * V::NUMBERS];
            // SAFETY: as the caller promises; rows of keys and of scores are `padded` long.
            unsafe {
                let sums = products::<V>(rows, keys);
                let scale = V::splat(attention.scale());
                for place in 0..QUERIES {
                    let scores = scores[place * padded + start..][..2 * V::NUMBERS].as_mut_ptr();
                    sums[place][0].multiply(scale).store(scores);
                    sums[place][1].multiply(scale).store(scores.add(V::NUMBERS));
                }
            }
        }
        for scores in scores.chunks_exact_mut(padded) {
            // SAFETY: as the caller promises.
            unsafe { softmax::<V>(scores, length) };
        }
        for place in 0..QUERIES {
            rows[place] = &scores[place * padded..][..length];
        }
        for start in (0..head_width).step_by(2 * V::NUMBERS) {
            let values = |position: usize| {
                &attention.value(item, head, position)[start..start + 2 * V::NUMBERS]
            };
            // SAFETY: as the caller promises: inside of the output, which is as long as the query, and
            // in columns that are ours.
            unsafe {
                let sums = products::<V>(rows, values);
                for place in 0..QUERIES {
                    let output = places
                        .output
                        .at(row(place) * width + head * head_width + start);
                    sums[place][0].store(output);
                    sums[place][1].store(output.add(V::NUMBERS));
                }
            }
        }
        if let Some(weights) = places.weights {
            for place in 0..QUERIES.min(queries - first) {
                let query = (item * heads + head) * queries + first + place;
                // SAFETY: inside of the weights, whose length was checked, and those of this query.
                unsafe { weights.write(query * length, rows[place]) };
            }
        }
    }
}

/// The products of some rows with two vectors of columns: `rows[r][k] · columns(k)`, summed over `k`.
///
/// # Safety
/// The processor has the vector's instructions; columns are two vectors long.
#[inline(always)]
unsafe fn products<'a, V: Vector>(
    rows: [&[f32]; QUERIES],
    columns: impl Fn(usize) -> &'a [f32],
) -> [[V; 2]; QUERIES] {
    // SAFETY: as the caller promises.
    unsafe {
        let mut sums = [[V::splat(0.0); 2]; QUERIES];
        for first in (0..rows[0].len()).step_by(BLOCK_STEPS) {
            let mut block = [[V::splat(0.0); 2]; QUERIES];
            for place in first..rows[0].len().min(first + BLOCK_STEPS) {
                let columns = columns(place).as_ptr();
                let (low, high) = (V::load(columns), V::load(columns.add(V::NUMBERS)));
                for row in 0..QUERIES {
                    let number = V::splat(rows[row][place]);
                    block[row][0] = number.multiply_add(low, block[row][0]);
                    block[row][1] = number.multiply_add(high, block[row][1]);
                }
            }
            for row in 0..QUERIES {
                for half in 0..2 {
                    sums[row][half] = block[row][half].add(sums[row][half]);
                }
            }
        }
        sums
    }
}
