//! The rounding errors of the `f32` kernels are bounded. Sums of all terms in sequence would exceed the
//! bounds.

use super::attention::exact_attention;
use super::{NO_EPILOGUE, Random, exact_product, kernels, product};
use crate::kernel::attend::attend;
use crate::kernel::attention::{Attention, Vectors};
use crate::kernel::block::{Block, Buffers};
use crate::kernel::norm::Norm;
use crate::{Format, PackedShape};

/// The root of the mean square of errors.
fn root_mean_square(errors: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for error in errors {
        sum += error * error;
        count += 1;
    }
    (sum / f64::from(count)).sqrt()
}

/// The sum of products in `f32`, added in pairs, then in pairs of pairs, and so on: the most exact way
/// without more precision.
fn pairwise(a: &[f32], b: &[f32]) -> f32 {
    match a.len() {
        0 => 0.0,
        1 => a[0] * b[0],
        length => {
            let half = length / 2;
            pairwise(&a[..half], &b[..half]) + pairwise(&a[half..], &b[half..])
        }
    }
}

#[test]
fn products_are_almost_as_exact_as_pairwise_sums() {
    let mut random = Random(11);
    // Summed in sequence, the factors would be 1.9, 6.5 and 12; PyTorch's are 1.9, 2.8 and 2.7.
    for (inputs, factor) in [(48, 1.5), (1024, 2.0), (4096, 2.0)] {
        let (outputs, rows) = (64, 7);
        let shape = PackedShape::new(Format::F32, outputs, inputs);
        let weights = random.values(outputs * inputs);
        let words = shape.pack_all(&weights);
        let x = random.values(rows * inputs);
        let exact = exact_product(shape, &words, &x);
        let error_of = |values: &[f32]| {
            let pairs = values.iter().zip(&exact);
            root_mean_square(pairs.map(|(value, (exact, _))| f64::from(*value) - exact))
        };
        let pairwise: Vec<f32> = x
            .chunks(inputs)
            .flat_map(|x| weights.chunks(inputs).map(|weights| pairwise(weights, x)))
            .collect();
        let bound = factor * error_of(&pairwise);
        for kernel in kernels(Format::F32) {
            let error = error_of(&product(kernel, shape, &words, &x, NO_EPILOGUE));
            let name = kernel.name;
            assert!(
                error <= bound,
                "{name}, {inputs} inputs: {error:e} > {bound:e}"
            );
        }
    }
}

#[test]
fn attention_is_within_a_few_roundings() {
    let mut random = Random(12);
    let (batch, heads, head_width) = (1, 2, 64);
    for (queries, length) in [(2, 50), (12, 50), (2, 1024), (12, 1024)] {
        let query: Vec<f32> = random
            .values(batch * queries * heads * head_width)
            .iter()
            .map(|x| 4.0 * x)
            .collect();
        let keys = random.values(batch * heads * length * head_width);
        let values = random.values(batch * heads * length * head_width);
        let vectors = |values| Vectors {
            values,
            start: 0,
            strides: [heads * length * head_width, length * head_width, head_width],
        };
        let attention = Attention {
            query: &query,
            batch,
            heads,
            head_width,
            length,
            keys: vectors(&keys),
            values: vectors(&values),
            slots: None,
            bias: None,
        };
        let exact = exact_attention(&attention);
        // Relative to the results: scores of a few units are exact to about 1e-7 of that, and so are the
        // weights.
        let size = root_mean_square(exact.iter().copied());
        let bound = 4e-7 * size;
        for kernel in kernels(Format::F32) {
            let context = attend(kernel, attention, None);
            let pairs = context.iter().zip(&exact);
            let error = root_mean_square(pairs.map(|(value, exact)| f64::from(*value) - exact));
            let name = kernel.name;
            assert!(
                error <= bound,
                "{name}, {queries} queries, {length} positions: {error:e} > {bound:e}"
            );
        }
    }
}

#[test]
fn layer_norm_is_within_a_few_roundings() {
    let mut random = Random(13);
    for inputs in [48, 1024, 4096] {
        let shape = PackedShape::new(Format::F32, 1, inputs);
        let gamma = random.values(inputs);
        let beta = random.values(inputs);
        // Far from the mean 0, as the rows of a residual stream are.
        let row: Vec<f32> = random.values(inputs).iter().map(|x| x + 3.0).collect();
        let norm = Norm {
            gamma: &gamma,
            beta: &beta,
            epsilon: 1e-5,
        };
        let wide: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        let mean = wide.iter().sum::<f64>() / inputs as f64;
        let squares: f64 = wide.iter().map(|x| (x - mean).powi(2)).sum();
        let deviation = (squares / inputs as f64 + f64::from(norm.epsilon)).sqrt();
        for kernel in kernels(Format::F32) {
            let (mut words, mut scales, mut starts) = (vec![0; inputs], [1.0], [0]);
            let block = Block {
                values: &row,
                norm: Some(norm),
                words: &mut words,
                scales: &mut scales,
                starts: &mut starts,
                excess: None,
            };
            kernel.pack(block, shape, &mut Buffers::default());
            let error = root_mean_square(words.iter().enumerate().map(|(at, word)| {
                let exact =
                    (wide[at] - mean) / deviation * f64::from(gamma[at]) + f64::from(beta[at]);
                f64::from(f32::from_bits(*word)) - exact
            }));
            let name = kernel.name;
            assert!(error <= 2.5e-7, "{name}, {inputs} inputs: {error:e}");
        }
    }
}
