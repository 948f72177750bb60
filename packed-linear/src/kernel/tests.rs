use super::attention::{Attention, Vectors, attend};
use super::block::round;
use super::functions::gelu;
use super::multiply::{Job, multiply};
use super::rows::{Norm, Rows};
use super::{Kernel, tile};
use crate::epilogue::Epilogue;
use crate::{Activation, Format, PackedShape, Precision};

/// Seeded numbers, a linear congruential generator.
pub(crate) struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn number(&mut self) -> f32 {
        self.below(1 << 20) as f32 / (1 << 19) as f32 - 1.0
    }

    fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.number()).collect()
    }
}

/// What kernels compute, one product after the other, and the sum of the products' sizes.
fn twin(shape: PackedShape, words: &[u32], x: &[f32]) -> Vec<(f64, f64)> {
    let panels: Vec<Vec<f32>> = words
        .chunks(shape.panel_words())
        .enumerate()
        .map(|(panel, words)| shape.unpack_panel(panel, words))
        .collect();
    let weights = panels.concat();
    let mut results = Vec::new();
    for row in x.chunks(shape.inputs()) {
        let row: Vec<f64> = match shape.format().precision() {
            Precision::F32 => row.iter().map(|x| f64::from(*x)).collect(),
            Precision::BF16 => row
                .iter()
                .map(|x| half::bf16::from_f32(*x).to_f64())
                .collect(),
            Precision::Int8 | Precision::Int4 => {
                let mut whole = vec![0; row.len()];
                let scale = f64::from(round(row, &mut whole));
                whole
                    .iter()
                    .map(|number| f64::from(*number) * scale)
                    .collect()
            }
        };
        for weights in weights.chunks(shape.inputs()) {
            let products = weights.iter().zip(&row).map(|(w, x)| f64::from(*w) * x);
            results.push((products.clone().sum(), products.map(f64::abs).sum()));
        }
    }
    results
}

/// The kernels that this machine can run.
fn kernels(precision: Precision) -> impl Iterator<Item = &'static Kernel> {
    let kernels = Kernel::all(precision).iter();
    kernels.filter(|kernel| (kernel.is_available)())
}

/// What a kernel computes.
fn product(
    kernel: &Kernel,
    shape: PackedShape,
    words: &[u32],
    x: &[f32],
    epilogue: Epilogue<'_>,
) -> Vec<f32> {
    let mut output = Vec::new();
    let job = Job {
        shape,
        words,
        epilogue,
        output: &mut output,
    };
    multiply(kernel, &Rows::new(shape, x, None, kernel), &mut [job]);
    output
}

const NOTHING_MORE: Epilogue<'static> = Epilogue {
    bias: None,
    activation: None,
    is_added: false,
};

fn formats() -> Vec<Format> {
    [
        "f32", "bf16", "int8", "int8:8", "int8:64", "int4", "int4:8", "int4:128",
    ]
    .iter()
    .map(|text| text.parse().unwrap())
    .collect()
}

fn compare(shape: PackedShape, weights: &[f32], x: &[f32]) {
    let words = shape.pack_all(weights);
    let expected = twin(shape, &words, x);
    for kernel in kernels(shape.format().precision()) {
        let output = product(kernel, shape, &words, x, NOTHING_MORE);
        assert_eq!(output.len(), expected.len());
        for (place, (ours, (exact, size))) in output.iter().zip(&expected).enumerate() {
            let error = (f64::from(*ours) - exact).abs();
            assert!(
                error <= 4e-6 * size + 1e-30,
                "{} of {shape}, {} rows, place {place}: {ours}, expected {exact}",
                kernel.name,
                x.len() / shape.inputs()
            );
        }
    }
}

#[test]
fn kernels_compute_what_their_scalar_twin_does() {
    let mut random = Random(1);
    for format in formats() {
        for _ in 0..40 {
            let (outputs, inputs) = (1 + random.below(100), 1 + random.below(150));
            let shape = PackedShape::new(format, outputs, inputs);
            let weights = random.numbers(outputs * inputs);
            let rows = 1 + random.below(30);
            let x = random.numbers(rows * inputs);
            compare(shape, &weights, &x);
        }
    }
}

#[test]
fn weights_of_several_parts_and_threads_are_multiplied_whole() {
    let mut random = Random(2);
    for format in formats() {
        let inputs = 2 * tile::LONGEST_PART + 37;
        let shape = PackedShape::new(format, 130, inputs);
        let weights = random.numbers(130 * inputs);
        let x = random.numbers(5 * inputs);
        compare(shape, &weights, &x);
    }
}

#[test]
fn whole_numbers_of_the_greatest_size_do_not_overflow() {
    for (format, inputs) in [
        ("int8", 4099),
        ("int8", 131_077), // cut into groups whose sums just fit
        ("int8:64", 4099),
        ("int4", 4099),
        ("int4:8", 4099),
        ("int4:65536", 65_541),
    ] {
        let shape = PackedShape::new(format.parse().unwrap(), 33, inputs);
        for signs in [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]] {
            compare(shape, &vec![signs[0]; 33 * inputs], &vec![signs[1]; inputs]);
        }
    }
}

#[test]
fn extreme_numbers_give_the_limits_of_arithmetic() {
    for format in formats() {
        let shape = PackedShape::new(format, 3, 9);
        let words = shape.pack_all(&[1e30; 27]);
        for kernel in kernels(format.precision()) {
            let product = |x: [f32; 9]| product(kernel, shape, &words, &x, NOTHING_MORE)[2];
            assert_eq!(product([0.0; 9]), 0.0, "{}", kernel.name);
            assert_eq!(product([1e30; 9]), f32::INFINITY, "{}", kernel.name);
            assert!(product([1e-42; 9]).is_finite(), "{}", kernel.name);
            assert!(!product([f32::INFINITY; 9]).is_finite(), "{}", kernel.name);
            let mut x = [1.0; 9];
            x[4] = f32::NAN;
            assert!(product(x).is_nan(), "{}", kernel.name);
        }
    }
}

#[test]
fn a_bias_is_added_before_the_activation() {
    let mut random = Random(3);
    let shape = PackedShape::new(Format::F32, 45, 7);
    let weights = random.numbers(45 * 7);
    let words = shape.pack_all(&weights);
    let x = random.numbers(2 * 7);
    let bias = random.numbers(45);
    let expected = twin(shape, &words, &x);
    let epilogue = Epilogue {
        bias: Some(&bias),
        activation: Some(Activation::Gelu),
        is_added: false,
    };
    for kernel in kernels(Precision::F32) {
        let output = product(kernel, shape, &words, &x, epilogue);
        assert_eq!(output.len(), expected.len());
        for (place, ours) in output.iter().enumerate() {
            // SAFETY: these vectors need no instructions.
            let [exact, ..] = unsafe { gelu([expected[place].0 as f32 + bias[place % 45]; 8]) };
            assert!(
                (ours - exact).abs() < 1e-5,
                "{}: {ours}, expected {exact}",
                kernel.name
            );
        }
    }
}

#[test]
fn results_are_added_to_what_is_there() {
    let mut random = Random(5);
    for outputs in [32, 45] {
        let shape = PackedShape::new(Format::F32, outputs, 7);
        let words = shape.pack_all(&random.numbers(outputs * 7));
        let x = random.numbers(5 * 7);
        let before = random.numbers(5 * outputs);
        for kernel in kernels(Precision::F32) {
            let expected = product(kernel, shape, &words, &x, NOTHING_MORE);
            let mut added = before.clone();
            let job = Job {
                shape,
                words: &words,
                epilogue: Epilogue {
                    is_added: true,
                    ..NOTHING_MORE
                },
                output: &mut added,
            };
            multiply(kernel, &Rows::new(shape, &x, None, kernel), &mut [job]);
            for place in 0..added.len() {
                assert_eq!(added[place], before[place] + expected[place]);
            }
        }
    }
}

#[test]
fn rows_are_normalised_first() {
    let mut random = Random(6);
    for (format, inputs) in [("f32", 50), ("bf16", 7), ("int8", 33), ("int4", 64)] {
        let shape = PackedShape::new(format.parse().unwrap(), 40, inputs);
        let words = shape.pack_all(&random.numbers(40 * inputs));
        let x = random.numbers(14 * inputs);
        let (gamma, beta) = (random.numbers(inputs), random.numbers(inputs));
        let epsilon = 1e-3;
        let normed: Vec<f32> = x
            .chunks(inputs)
            .flat_map(|row| {
                let row: Vec<f64> = row.iter().map(|number| f64::from(*number)).collect();
                let mean = row.iter().sum::<f64>() / inputs as f64;
                let squares = row.iter().map(|number| (number - mean).powi(2));
                let deviation = (squares.sum::<f64>() / inputs as f64 + epsilon).sqrt();
                let numbers = row.into_iter().zip(gamma.iter().zip(&beta));
                numbers
                    .map(|(number, (gamma, beta))| {
                        ((number - mean) / deviation * f64::from(*gamma) + f64::from(*beta)) as f32
                    })
                    .collect::<Vec<f32>>()
            })
            .collect();
        let norm = Norm {
            gamma: &gamma,
            beta: &beta,
            epsilon: epsilon as f32,
        };
        for kernel in kernels(shape.format().precision()) {
            let expected = product(kernel, shape, &words, &normed, NOTHING_MORE);
            let mut output = Vec::new();
            let job = Job {
                shape,
                words: &words,
                epilogue: NOTHING_MORE,
                output: &mut output,
            };
            let rows = Rows::new(shape, &x, Some(norm), kernel);
            multiply(kernel, &rows, &mut [job]);
            // A number that lies between two whole ones may be rounded to either.
            let tolerance = match shape.format().precision() {
                Precision::F32 => 1e-4,
                _ => 0.1,
            };
            for (ours, expected) in output.iter().zip(&expected) {
                let error = (ours - expected).abs();
                assert!(error < tolerance, "{} of {format}: {error}", kernel.name);
            }
        }
    }
}

/// Attention in double precision, all keys and values `[slots, heads, length, head_width]`.
fn attention_twin(attention: &Attention<'_>) -> Vec<f64> {
    let &Attention {
        query,
        heads,
        head_width,
        length,
        ..
    } = attention;
    let queries = query.len() / attention.batch / heads / head_width;
    let mut output = Vec::new();
    for (place, query) in query.chunks(head_width).enumerate() {
        let (row, head) = (place / heads, place % heads);
        let item = row / queries;
        let vector = |of: &Vectors<'_>, position: usize| -> Vec<f64> {
            let slot = attention
                .slots
                .map_or(item, |slots| slots[item * length + position] as usize);
            let start = ((slot * heads + head) * length + position) * head_width;
            let numbers = &of.numbers[start..start + head_width];
            numbers.iter().map(|number| f64::from(*number)).collect()
        };
        let weights: Vec<f64> = (0..length)
            .map(|position| {
                let key = vector(&attention.keys, position);
                let products = key.iter().zip(query).map(|(k, q)| k * f64::from(*q));
                (products.sum::<f64>() / (head_width as f64).sqrt()).exp()
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

#[test]
fn every_kernel_attends_as_its_scalar_twin_does() {
    let mut random = Random(4);
    let (batch, heads) = (2, 3);
    for (queries, head_width, length) in
        [(1, 1, 1), (3, 20, 5), (9, 64, 33), (8, 32, 50), (10, 20, 7)]
    {
        let query = random.numbers(batch * queries * heads * head_width);
        let keys = random.numbers(batch * heads * length * head_width);
        let values = random.numbers(batch * heads * length * head_width);
        let slots: Vec<u32> = (0..batch * length)
            .map(|_| random.below(batch) as u32)
            .collect();
        let vectors = |numbers| Vectors {
            numbers,
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
            };
            let expected = attention_twin(&attention);
            for kernel in kernels(Precision::F32) {
                let output = attend(kernel, attention, None);
                for (ours, exact) in output.iter().zip(&expected) {
                    let error = (f64::from(*ours) - exact).abs();
                    assert!(error < 1e-5, "{}: {ours}, expected {exact}", kernel.name);
                }
            }
        }
    }
}
