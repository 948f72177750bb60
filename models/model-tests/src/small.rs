//! What to feed to a small decoder with random weights, which needs no reference.

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};

/// The width of the decoder's memory.
pub const WIDTH: usize = 48;
/// The decoder's tokens.
pub const VOCABULARY: usize = 120;
/// The length of texts: the cache starts with room for 16 and grows twice.
pub const LENGTH: usize = 37;
/// The positions of the memory.
pub const POSITIONS: usize = 10;

/// `[sources, POSITIONS, WIDTH]`
pub fn memory(sources: usize, device: &Device) -> Tensor<3> {
    let shape = [sources, POSITIONS, WIDTH];
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// `[rows, length]`, different in every row.
pub fn ids(rows: usize, length: usize, device: &Device) -> Tensor<2, Int> {
    let ids: Vec<i64> = (0..rows * length)
        .map(|i| ((i * i + 31 * i) % VOCABULARY) as i64)
        .collect();
    Tensor::from_data(TensorData::new(ids, [rows, length]), device)
}

/// `[rows, LENGTH]`, different in every row.
pub fn tokens(rows: usize, device: &Device) -> Tensor<2, Int> {
    ids(rows, LENGTH, device)
}
