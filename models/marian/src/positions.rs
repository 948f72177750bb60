use burn::tensor::{Device, Tensor, TensorData};

/// The embeddings of `count` positions from `first` on: the sines of all frequencies, then the cosines. They are
/// computed in `f64`, as Hugging Face's are, and never stored.
///
/// Hugging Face: `MarianSinusoidalPositionalEmbedding`.
///
/// # Shapes
/// - output: `[count, width]`
pub(crate) fn positions(first: usize, count: usize, width: usize, device: &Device) -> Tensor<2> {
    let mut values = Vec::with_capacity(count * width);
    for position in first..first + count {
        // Of an odd width, the sines have one column more.
        let sines = (0..width.div_ceil(2)).map(|index| angle(position, index, width).sin());
        let cosines = (0..width / 2).map(|index| angle(position, index, width).cos());
        values.extend(sines.chain(cosines).map(|value| value as f32));
    }
    Tensor::from_data(TensorData::new(values, [count, width]), device)
}

fn angle(position: usize, index: usize, width: usize) -> f64 {
    position as f64 / 10_000f64.powf(2.0 * index as f64 / width as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sines_come_before_cosines() {
        let device = Device::flex();
        for (width, expected) in [
            (
                4,
                vec![2f64.sin(), 0.02f64.sin(), 2f64.cos(), 0.02f64.cos()],
            ),
            (
                3,
                vec![
                    2f64.sin(),
                    (2.0 / 10_000f64.powf(2.0 / 3.0)).sin(),
                    2f64.cos(),
                ],
            ),
        ] {
            let found = positions(2, 1, width, &device).into_data();
            let found = found.try_into_vec_as::<f32>().unwrap();
            assert_eq!(found.len(), width);
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((f64::from(found) - expected).abs() < 1e-7);
            }
        }
    }

    #[test]
    fn later_positions_continue_earlier_ones() {
        let device = Device::flex();
        let whole = positions(0, 5, 6, &device);
        let parts = vec![positions(0, 2, 6, &device), positions(2, 3, 6, &device)];
        assert_eq!(whole.into_data(), Tensor::cat(parts, 0).into_data());
    }
}
