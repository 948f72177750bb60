//! Kernels in plain Rust. Compilers vectorise their loops over the 8 outputs of a vector for any instruction set.
//!
//! Few sums are kept at a time, since most processors have 16 registers of 128 bits. Tiles have the parameters format,
//! rows, panels, and vectors of each panel at a time.

mod products;
mod vector;

use super::table::{Kernel, TileFunction, vector_functions};
use super::walk::{float_tile, integer_tile};
use products::{Bf16, F32 as F32Product, Int4, Int8};

pub(super) const F32: Kernel = kernel(&[
    float_tile::<F32Product, 1, 1, 4>,
    float_tile::<F32Product, 2, 1, 2>,
    float_tile::<F32Product, 3, 1, 1>,
    float_tile::<F32Product, 4, 1, 1>,
]);
pub(super) const BF16: Kernel = kernel(&[float_tile::<Bf16, 1, 1, 4>, float_tile::<Bf16, 2, 1, 4>]);
pub(super) const INT8: Kernel =
    kernel(&[integer_tile::<Int8, 1, 1, 2>, integer_tile::<Int8, 2, 1, 2>]);
pub(super) const INT4: Kernel =
    kernel(&[integer_tile::<Int4, 1, 1, 1>, integer_tile::<Int4, 2, 1, 1>]);

const fn kernel(tiles: &'static [TileFunction]) -> Kernel {
    Kernel {
        name: "portable",
        tiles,
        pair_tiles: &[],
        limits_integers: false,
        finish,
        pack,
        normalise,
        attend,
        #[cfg(feature = "autodiff")]
        training: TRAINING,
        is_available: || true,
    }
}

vector_functions!([f32; 8]);
