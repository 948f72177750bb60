use super::{Random, kernels};
use crate::Format;
use crate::kernel::attend::attend;
use crate::kernel::attention::{Attention, Bias, Vectors};

/// Attention in `f64`, with keys and values `[slots, heads, length, head_width]`.
pub(super) fn exact_attention(attention: &Attention<'_>) -> Vec<f64> {
    let &Attention {
        query,
        heads,
        head_width,
        length,
        ..
    } = attention;
    let queries = query.len() / attention.batch / heads / head_width;
    let mut output = Vec::new();
    for (index, query) in query.chunks(head_width).enumerate() {
        let (row, head) = (index / heads, index % heads);
        let item = row / queries;
        let vector = |of: &Vectors<'_>, position: usize| -> Vec<f64> {
            let slot = attention
                .slots
                .map_or(item, |slots| slots[item * length + position] as usize);
            let start = ((slot * heads + head) * length + position) * head_width;
            let vector = &of.values[start..start + head_width];
            vector.iter().map(|x| f64::from(*x)).collect()
        };
        let bias = |position: usize| match attention.bias {
            Some(Bias { values, of_items }) => {
                let kind = of_items[item % of_items.len()] as usize;
                let of_query = (kind * heads + head) * queries + row % queries;
                f64::from(values[of_query * length + position])
            }
            None => 0.0,
        };
        let weights: Vec<f64> = (0..length)
            .map(|position| {
                let key = vector(&attention.keys, position);
                let products = key.iter().zip(query).map(|(k, q)| k * f64::from(*q));
                (products.sum::<f64>() / (head_width as f64).sqrt() + bias(position)).exp()
            })
            .collect();
        let total: f64 = weights.iter().sum();
        let mut sums = vec![0.0; head_width];
        for (position, weight) in weights.iter().enumerate() {
            for (sum, value) in sums.iter_mut().zip(vector(&attention.values, position)) {
                *sum += weight / total * value;
            }
        }
        output.extend(sums);
    }
    output
}

fn assert_exact(attention: &Attention<'_>) {
    let expected = exact_attention(attention);
    for kernel in kernels(Format::F32) {
        let output = attend(kernel, *attention, None);
        for (ours, exact) in output.iter().zip(&expected) {
            let error = (f64::from(*ours) - exact).abs();
            assert!(error < 1e-5, "{}: {ours}, expected {exact}", kernel.name);
        }
    }
}

#[test]
fn kernels_compute_attention() {
    let mut random = Random(4);
    let (batch, heads) = (2, 3);
    for (queries, head_width, length) in
        [(1, 1, 1), (3, 20, 5), (9, 64, 33), (8, 32, 50), (10, 20, 7)]
    {
        let query = random.values(batch * queries * heads * head_width);
        let keys = random.values(batch * heads * length * head_width);
        let values = random.values(batch * heads * length * head_width);
        let slots: Vec<u32> = (0..batch * length)
            .map(|_| random.below(batch) as u32)
            .collect();
        let vectors = |values| Vectors {
            values,
            start: 0,
            strides: [heads * length * head_width, length * head_width, head_width],
        };
        for slots in [None, Some(slots.as_slice())] {
            let attention = Attention {
                query: &query,
                batch,
                heads,
                head_width,
                length,
                keys: vectors(&keys),
                values: vectors(&values),
                slots,
                bias: None,
            };
            assert_exact(&attention);
        }
    }
}

#[test]
fn kernels_add_the_bias_of_the_kind_of_a_batch_item() {
    let mut random = Random(5);
    let (batch, heads, kinds) = (6, 2, 2);
    for (length, head_width) in [(1, 1), (5, 20), (9, 32), (50, 64)] {
        let count = batch * heads * length * head_width;
        let [query, keys, values] = [0, 1, 2].map(|_| random.values(count));
        let biases = random.values(kinds * heads * length * length);
        let vectors = |values| Vectors {
            values,
            start: 0,
            strides: [heads * length * head_width, length * head_width, head_width],
        };
        for of_items in [vec![1], vec![0, 1, 1]] {
            assert_exact(&Attention {
                query: &query,
                batch,
                heads,
                head_width,
                length,
                keys: vectors(&keys),
                values: vectors(&values),
                slots: None,
                bias: Some(Bias {
                    values: &biases,
                    of_items: &of_items,
                }),
            });
        }
    }
}
