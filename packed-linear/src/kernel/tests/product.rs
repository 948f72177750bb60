use super::{NO_EPILOGUE, Random, exact_product, formats, kernels, product};
use crate::epilogue::Epilogue;
use crate::kernel::functions::gelu;
use crate::kernel::multiply::{Job, multiply};
use crate::kernel::rows::Rows;
use crate::kernel::tile::LONGEST_PART;
use crate::{Activation, Format, PackedShape};

fn compare(shape: PackedShape, weights: &[f32], x: &[f32]) {
    let words = shape.pack_all(weights);
    let expected = exact_product(shape, &words, x);
    for kernel in kernels(shape.format()) {
        let output = product(kernel, shape, &words, x, NO_EPILOGUE);
        assert_eq!(output.len(), expected.len());
        for (index, (ours, (exact, size))) in output.iter().zip(&expected).enumerate() {
            let error = (f64::from(*ours) - exact).abs();
            assert!(
                error <= 4e-6 * size + 1e-30,
                "{} of {shape}, {} rows, element {index}: {ours}, expected {exact}",
                kernel.name,
                x.len() / shape.inputs()
            );
        }
    }
}

#[test]
fn kernels_compute_the_product() {
    let mut random = Random(1);
    for format in formats() {
        for _ in 0..40 {
            let (outputs, inputs) = (1 + random.below(100), 1 + random.below(150));
            let shape = PackedShape::new(format, outputs, inputs);
            let weights = random.values(outputs * inputs);
            let rows = 1 + random.below(30);
            let x = random.values(rows * inputs);
            compare(shape, &weights, &x);
        }
    }
}

#[test]
fn kernels_compute_the_product_of_several_parts_and_threads() {
    let mut random = Random(2);
    for format in formats() {
        let inputs = 2 * LONGEST_PART + 37;
        let shape = PackedShape::new(format, 130, inputs);
        let weights = random.values(130 * inputs);
        let x = random.values(5 * inputs);
        compare(shape, &weights, &x);
    }
}

#[test]
fn a_row_is_multiplied_alike_alone_and_with_others() {
    let mut random = Random(4);
    for format in formats() {
        // Several panels, parts and blocks of rows.
        let (outputs, inputs, rows) = (330, LONGEST_PART + 70, 17);
        let shape = PackedShape::new(format, outputs, inputs);
        let words = shape.pack_all(&random.values(outputs * inputs));
        let x = random.values(rows * inputs);
        for kernel in kernels(format) {
            let together = product(kernel, shape, &words, &x, NO_EPILOGUE);
            for count in [1, 2, 3, 5] {
                let some = product(kernel, shape, &words, &x[..count * inputs], NO_EPILOGUE);
                let name = kernel.name;
                assert!(
                    some == together[..count * outputs],
                    "{name}, {shape}, {count} rows"
                );
            }
        }
    }
}

#[test]
fn the_largest_integers_do_not_overflow() {
    for (format, inputs) in [
        ("int8", 4099),
        ("int8", 131_077), // split into groups whose sums just fit
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
fn extreme_values_give_the_limits_of_arithmetic() {
    for format in formats() {
        let shape = PackedShape::new(format, 3, 9);
        let words = shape.pack_all(&[1e30; 27]);
        for kernel in kernels(format) {
            let product = |x: [f32; 9]| product(kernel, shape, &words, &x, NO_EPILOGUE)[2];
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
    let weights = random.values(45 * 7);
    let words = shape.pack_all(&weights);
    let x = random.values(2 * 7);
    let bias = random.values(45);
    let expected = exact_product(shape, &words, &x);
    let epilogue = Epilogue {
        bias: Some(&bias),
        activation: Some(Activation::Gelu),
        is_added: false,
    };
    for kernel in kernels(Format::F32) {
        let output = product(kernel, shape, &words, &x, epilogue);
        assert_eq!(output.len(), expected.len());
        for (index, ours) in output.iter().enumerate() {
            // SAFETY: arrays need no special instructions.
            let [exact, ..] = unsafe { gelu([expected[index].0 as f32 + bias[index % 45]; 8]) };
            assert!(
                (ours - exact).abs() < 1e-5,
                "{}: {ours}, expected {exact}",
                kernel.name
            );
        }
    }
}

#[test]
fn results_are_added_to_what_the_output_holds() {
    let mut random = Random(5);
    for outputs in [32, 45] {
        let shape = PackedShape::new(Format::F32, outputs, 7);
        let words = shape.pack_all(&random.values(outputs * 7));
        let x = random.values(5 * 7);
        let before = random.values(5 * outputs);
        for kernel in kernels(Format::F32) {
            let expected = product(kernel, shape, &words, &x, NO_EPILOGUE);
            let mut added = before.clone();
            let job = Job {
                shape,
                words: &words,
                epilogue: Epilogue {
                    is_added: true,
                    ..NO_EPILOGUE
                },
                output: &mut added,
            };
            multiply(kernel, &Rows::new(shape, &x, None, kernel), &mut [job]);
            for index in 0..added.len() {
                assert_eq!(added[index], before[index] + expected[index]);
            }
        }
    }
}
