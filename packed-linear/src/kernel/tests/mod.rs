//! Every kernel that this machine can run against the same computation in `f64`.

mod attention;
mod exactness;
#[cfg(feature = "autodiff")]
mod matrix;
mod norm;
mod product;

use super::choice::all;
use super::multiply::{Job, multiply};
use super::quantise::quantise;
use super::rows::Rows;
use super::table::Kernel;
use crate::epilogue::Epilogue;
use crate::{Format, PackedShape};

/// Seeded random values from a linear congruential generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    /// From -1 to 1.
    fn value(&mut self) -> f32 {
        self.below(1 << 20) as f32 / (1 << 19) as f32 - 1.0
    }

    fn values(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.value()).collect()
    }
}

/// What kernels compute, in `f64`: each product's sum, and the sum of the absolute values of its terms.
fn exact_product(shape: PackedShape, words: &[u32], x: &[f32]) -> Vec<(f64, f64)> {
    let panels: Vec<Vec<f32>> = words
        .chunks(shape.panel_words())
        .enumerate()
        .map(|(panel, words)| shape.unpack_panel(panel, words))
        .collect();
    let weights = panels.concat();
    let mut results = Vec::new();
    for row in x.chunks(shape.inputs()) {
        let row: Vec<f64> = match shape.format() {
            Format::F32 => row.iter().map(|x| f64::from(*x)).collect(),
            Format::BF16 => row
                .iter()
                .map(|x| half::bf16::from_f32(*x).to_f64())
                .collect(),
            Format::Int8 { .. } | Format::Int4 { .. } => {
                let mut integers = vec![0; row.len()];
                let scale = f64::from(quantise(row, &mut integers));
                integers
                    .iter()
                    .map(|integer| f64::from(*integer) * scale)
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
fn kernels(format: Format) -> impl Iterator<Item = &'static Kernel> {
    all(format).iter().filter(|kernel| (kernel.is_available)())
}

/// The product that a kernel computes.
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

const NO_EPILOGUE: Epilogue<'static> = Epilogue {
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
