//! Kernels for AVX2.
//!
//! At most 12 of the 16 registers hold sums, so the more rows and panels there are, the fewer vectors of 8 outputs are
//! computed at a time, and a panel is passed over once, twice or four times. A few rows are multiplied by two panels at a
//! time: words from two places in memory come faster than from one. Tiles have the parameters format, rows, panels, and
//! vectors of each panel at a time.

mod float;
mod integer;
mod vector;

use std::arch::x86_64::*;

use super::table::{Kernel, TileFunction, vector_functions};
use super::tile::Tile;
use super::walk::{self, IntegerSum, Product};
use float::Bf16;
use integer::{Int4, Int8};

pub(super) const F32: Kernel = kernel(
    &[
        float_tile::<float::F32, 1, 1, 4>,
        float_tile::<float::F32, 2, 1, 4>,
        float_tile::<float::F32, 3, 1, 4>,
        float_tile::<float::F32, 4, 1, 2>,
        float_tile::<float::F32, 5, 1, 2>,
        float_tile::<float::F32, 6, 1, 2>,
    ],
    &[
        float_tile::<float::F32, 1, 2, 4>,
        float_tile::<float::F32, 2, 2, 2>,
        float_tile::<float::F32, 3, 2, 2>,
        float_tile::<float::F32, 4, 2, 1>,
        float_tile::<float::F32, 5, 2, 1>,
        float_tile::<float::F32, 6, 2, 1>,
    ],
);
pub(super) const BF16: Kernel = kernel(
    &[
        float_tile::<Bf16, 1, 1, 4>,
        float_tile::<Bf16, 2, 1, 4>,
        float_tile::<Bf16, 3, 1, 2>,
        float_tile::<Bf16, 4, 1, 2>,
    ],
    &[
        float_tile::<Bf16, 1, 2, 4>,
        float_tile::<Bf16, 2, 2, 2>,
        float_tile::<Bf16, 3, 2, 1>,
        float_tile::<Bf16, 4, 2, 1>,
    ],
);
pub(super) const INT8: Kernel = Kernel {
    limits_integers: true,
    ..kernel(
        &[
            integer_tile::<Int8, 1, 1, 4>,
            integer_tile::<Int8, 2, 1, 4>,
            integer_tile::<Int8, 3, 1, 2>,
            integer_tile::<Int8, 4, 1, 2>,
        ],
        &[
            integer_tile::<Int8, 1, 2, 4>,
            integer_tile::<Int8, 2, 2, 2>,
            integer_tile::<Int8, 3, 2, 1>,
            integer_tile::<Int8, 4, 2, 1>,
        ],
    )
};
pub(super) const INT4: Kernel = kernel(
    &[
        integer_tile::<Int4, 1, 1, 4>,
        integer_tile::<Int4, 2, 1, 4>,
        integer_tile::<Int4, 3, 1, 2>,
        integer_tile::<Int4, 4, 1, 2>,
    ],
    &[
        integer_tile::<Int4, 1, 2, 4>,
        integer_tile::<Int4, 2, 2, 2>,
        integer_tile::<Int4, 3, 2, 1>,
        integer_tile::<Int4, 4, 2, 1>,
    ],
);

const fn kernel(tiles: &'static [TileFunction], pair_tiles: &'static [TileFunction]) -> Kernel {
    Kernel {
        name: "avx2",
        tiles,
        pair_tiles,
        limits_integers: false,
        finish,
        pack,
        normalise,
        attend,
        #[cfg(feature = "autodiff")]
        training: TRAINING,
        is_available: || is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
    }
}

vector_functions!(__m256, "avx2,fma");

/// See [`walk::float_tile`].
///
/// # Safety
/// As there; the processor has the target features.
#[target_feature(enable = "avx2,fma")]
unsafe fn float_tile<P: Product, const ROWS: usize, const PANELS: usize, const COLUMNS: usize>(
    tile: &Tile<'_>,
) {
    // SAFETY: as the caller promises.
    unsafe { walk::float_tile::<P, ROWS, PANELS, COLUMNS>(tile) };
}

/// See [`walk::integer_tile`].
///
/// # Safety
/// As there; the processor has the target features.
#[target_feature(enable = "avx2,fma")]
unsafe fn integer_tile<
    P: Product<Sum: IntegerSum>,
    const ROWS: usize,
    const PANELS: usize,
    const COLUMNS: usize,
>(
    tile: &Tile<'_>,
) {
    // SAFETY: as the caller promises.
    unsafe { walk::integer_tile::<P, ROWS, PANELS, COLUMNS>(tile) };
}
