use super::{NO_EPILOGUE, Random, kernels, product};
use crate::kernel::multiply::{Job, multiply};
use crate::kernel::norm::Norm;
use crate::kernel::rows::Rows;
use crate::{Format, PackedShape};

#[test]
fn rows_are_normalised_first() {
    let mut random = Random(6);
    for (format, inputs) in [("f32", 50), ("bf16", 7), ("int8", 33), ("int4", 64)] {
        let shape = PackedShape::new(format.parse().unwrap(), 40, inputs);
        let words = shape.pack_all(&random.values(40 * inputs));
        let x = random.values(14 * inputs);
        let (gamma, beta) = (random.values(inputs), random.values(inputs));
        let epsilon = 1e-3;
        let normed: Vec<f32> = x
            .chunks(inputs)
            .flat_map(|row| {
                let row: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
                let mean = row.iter().sum::<f64>() / inputs as f64;
                let squares = row.iter().map(|x| (x - mean).powi(2));
                let deviation = (squares.sum::<f64>() / inputs as f64 + epsilon).sqrt();
                row.into_iter()
                    .zip(gamma.iter().zip(&beta))
                    .map(|(x, (gamma, beta))| {
                        ((x - mean) / deviation * f64::from(*gamma) + f64::from(*beta)) as f32
                    })
                    .collect::<Vec<f32>>()
            })
            .collect();
        let norm = Norm {
            gamma: &gamma,
            beta: &beta,
            epsilon: epsilon as f32,
        };
        for kernel in kernels(shape.format()) {
            let expected = product(kernel, shape, &words, &normed, NO_EPILOGUE);
            let mut output = Vec::new();
            let job = Job {
                shape,
                words: &words,
                epilogue: NO_EPILOGUE,
                output: &mut output,
            };
            let rows = Rows::new(shape, &x, Some(norm), kernel);
            multiply(kernel, &rows, &mut [job]);
            // A value half-way between two integers may be rounded to either.
            let tolerance = match shape.format() {
                Format::F32 => 1e-4,
                _ => 0.1,
            };
            for (ours, expected) in output.iter().zip(&expected) {
                let error = (ours - expected).abs();
                assert!(error < tolerance, "{} of {format}: {error}", kernel.name);
            }
        }
    }
}
