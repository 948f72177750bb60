//! Attention of a few queries: each reads the keys and the values where they are in memory.

use super::attention::{Attention, Head};
use super::softmax::softmax;
use super::vector::{Vector, blocks};

/// Attends as one head, with vectors of the type `V`.
///
/// # Safety
/// The processor has the instructions of the vector. The outputs have room for what their shapes say, and no
/// other thread accesses those of this batch item and head.
#[inline(always)]
pub(super) unsafe fn attend<V: Vector>(attention: &Attention<'_>, head: Head<'_>) {
    let queries = attention.queries();
    let Head {
        item,
        head,
        buffer: scores,
        context,
        weights,
    } = head;
    let &Attention {
        query,
        heads,
        head_width,
        length,
        ..
    } = attention;
    let width = heads * head_width;
    let scale = attention.scale();
    scores.resize(length.next_multiple_of(V::WIDTH), 0.0);
    for row in item * queries..(item + 1) * queries {
        let query = &query[row * width + head * head_width..][..head_width];
        for position in 0..length {
            let key = attention.key(item, head, position);
            // SAFETY: as the caller promises.
            scores[position] = unsafe { V::dot(query, key) } * scale;
        }
        attention.add_bias([item, head, row - item * queries], scores);
        // SAFETY: as the caller promises.
        unsafe { softmax::<V>(scores, length) };
        let value_of = |position: usize| attention.value(item, head, position);
        let weights_of_values = &scores[..length];
        // SAFETY: as the caller promises; these columns are those of this head.
        unsafe {
            let output = context.at(row * width + head * head_width);
            let mut column = 0;
            while column + 4 * V::WIDTH <= head_width {
                weighted_sum::<V, 4>(weights_of_values, value_of, column, output);
                column += 4 * V::WIDTH;
            }
            while column + V::WIDTH <= head_width {
                weighted_sum::<V, 1>(weights_of_values, value_of, column, output);
                column += V::WIDTH;
            }
            for column in column..head_width {
                let products = |position: usize| scores[position] * value_of(position)[column];
                let sums = blocks(length).map(|block| block.map(products).sum::<f32>());
                output.add(column).write(sums.sum());
            }
        }
        if let Some(weights) = weights {
            let query = (item * heads + head) * queries + row - item * queries;
            // SAFETY: as the caller promises; these weights are those of this head.
            unsafe { weights.write(query * length, &scores[..length]) };
        }
    }
}

/// Writes the weighted sum of the values, `N` vectors of columns from `column` on.
///
/// # Safety
/// The processor has the instructions of the vector. The values and the output have these columns.
#[inline(always)]
unsafe fn weighted_sum<'a, V: Vector, const N: usize>(
    weights: &[f32],
    value_of: impl Fn(usize) -> &'a [f32],
    column: usize,
    output: *mut f32,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let mut sums = [V::splat(0.0); N];
        for block in blocks(weights.len()) {
            let mut block_sums = [V::splat(0.0); N];
            for position in block {
                let weight = V::splat(weights[position]);
                let value = value_of(position).as_ptr().add(column);
                for vector in 0..N {
                    let value = V::load(value.add(vector * V::WIDTH));
                    block_sums[vector] = weight.multiply_add(value, block_sums[vector]);
                }
            }
            for vector in 0..N {
                sums[vector] = sums[vector].add(block_sums[vector]);
            }
        }
        for vector in 0..N {
            sums[vector].store(output.add(column + vector * V::WIDTH));
        }
    }
}
