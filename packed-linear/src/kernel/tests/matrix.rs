use super::{Random, kernels};
use crate::kernel::matrix::{Factor, Matrix, multiply_each, multiply_joined, multiply_stacked};
use crate::{Activation, Format};

/// `[rows, columns]` of a product in `f64`, and the sums of the absolute values of its terms.
fn exact(a: &[f32], b: &[f32], [rows, depth, columns]: [usize; 3]) -> Vec<(f64, f64)> {
    let mut results = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let terms = (0..depth)
                .map(|k| f64::from(a[row * depth + k]) * f64::from(b[k * columns + column]));
            results.push((terms.clone().sum(), terms.map(f64::abs).sum()));
        }
    }
    results
}

fn transposed(values: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    (0..columns)
        .flat_map(|column| (0..rows).map(move |row| values[row * columns + column]))
        .collect()
}

fn check(found: &[f32], expected: &[(f64, f64)], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, (sum, size)) in found.iter().zip(expected) {
        let error = (f64::from(*found) - sum).abs();
        assert!(error <= 1e-6 * (size + 1.0), "{what}: {found} is not {sum}");
    }
}

/// One row and many, widths that are no multiples of anything, sums in several parts, threads.
const SIZES: [[usize; 3]; 7] = [
    [1, 1, 1],
    [1, 40, 33],
    [13, 17, 70],
    [75, 5, 3],
    [150, 530, 48],
    [40, 1100, 20],
    [300, 64, 97],
];

#[test]
fn products_of_matrices_of_any_layout_are_those_of_exact_arithmetic() {
    let mut random = Random(41);
    for size in SIZES {
        let [rows, depth, columns] = size;
        let (a, b) = (random.values(rows * depth), random.values(depth * columns));
        let (a_transposed, b_transposed) = (
            transposed(&a, [rows, depth]),
            transposed(&b, [depth, columns]),
        );
        let expected = exact(&a, &b, size);
        for kernel in kernels(Format::F32) {
            let what = format!("{} {size:?}", kernel.name);
            for left in [
                Matrix::new(&a, [rows, depth]),
                Matrix::new(&a_transposed, [depth, rows]).transposed(),
            ] {
                for right in [
                    Matrix::new(&b, [depth, columns]),
                    Matrix::new(&b_transposed, [columns, depth]).transposed(),
                ] {
                    for found in multiply_each(kernel, left, &[right, right]) {
                        check(&found, &expected, &what);
                    }
                }
            }
        }
    }
}

#[test]
fn joined_and_stacked_products_are_those_of_their_parts() {
    let mut random = Random(42);
    for [rows, depth, columns] in SIZES {
        let x = random.values(rows * depth);
        let widths = [columns, columns + 7];
        let all = columns + columns + 7;
        let weights = widths.map(|width| random.values(depth * width));
        let biases = widths.map(|width| random.values(width));
        let residual = random.values(rows * all);
        for kernel in kernels(Format::F32) {
            let what = format!("{} {:?}", kernel.name, [rows, depth, columns]);
            let left = Matrix::new(&x, [rows, depth]);
            let factors = [0, 1].map(|index| Factor {
                matrix: Matrix::new(&weights[index], [depth, widths[index]]),
                bias: Some(biases[index].as_slice()),
            });
            let joined = multiply_joined(kernel, left, &factors, Some(&residual), None);
            let plain = multiply_joined(kernel, left, &factors, None, Some(Activation::Relu));
            let matrices = factors.map(|factor| factor.matrix);
            let each = multiply_each(kernel, left, &matrices);
            for row in 0..rows {
                for column in 0..all {
                    let (index, within) = match column < columns {
                        true => (0, column),
                        false => (1, column - columns),
                    };
                    let at = row * all + column;
                    let sum = each[index][row * widths[index] + within] + biases[index][within];
                    assert!((plain.values[at] - sum).abs() < 1e-4, "{what}");
                    let activated = plain.activated.as_ref().unwrap();
                    assert_eq!(activated[at], plain.values[at].max(0.0), "{what}");
                    let sum = plain.values[at] + residual[at];
                    assert!((joined.values[at] - sum).abs() < 1e-4, "{what}");
                }
            }
            // The columns of the joined output times the transposed weights, one above the other.
            let output = Matrix::new(&plain.values, [rows, all]);
            let stack = matrices.map(Matrix::transposed);
            let found = multiply_stacked(kernel, output, &stack);
            let mut stacked = transposed(&weights[0], [depth, widths[0]]);
            stacked.extend(transposed(&weights[1], [depth, widths[1]]));
            let expected = exact(&plain.values, &stacked, [rows, all, depth]);
            check(&found, &expected, &what);
            let parts = [0..columns, columns..all].map(|columns| output.columns(columns));
            let found = multiply_each(kernel, left.transposed(), &parts);
            let x_transposed = transposed(&x, [rows, depth]);
            for (index, found) in found.iter().enumerate() {
                let first = index * columns;
                let part: Vec<f32> = (0..rows)
                    .flat_map(|row| plain.values[row * all + first..][..widths[index]].to_vec())
                    .collect();
                let expected = exact(&x_transposed, &part, [depth, rows, widths[index]]);
                check(found, &expected, &what);
            }
        }
    }
}

#[test]
fn products_are_the_same_with_any_number_of_threads() {
    let mut random = Random(43);
    let [rows, depth, columns] = [200, 1100, 300];
    let (a, b) = (random.values(rows * depth), random.values(depth * columns));
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    for kernel in kernels(Format::F32) {
        let product = || {
            let factor = Matrix::new(&b, [depth, columns]);
            multiply_each(kernel, Matrix::new(&a, [rows, depth]), &[factor])
        };
        let alone = pool(1).unwrap().install(product);
        assert_eq!(alone, pool(3).unwrap().install(product), "{}", kernel.name);
    }
}
