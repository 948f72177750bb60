//! Kernels for AVX2, and for the later instruction that adds four products of 8-bit integers to a sum (AVX-VNNI).
//!
//! At most 12 of the 16 registers hold sums, so the more rows and panels there are, the fewer vectors of 8 outputs are
//! computed at a time, and a panel is passed over once, twice or four times. A few rows are multiplied by two panels at a
//! time: words from two places in memory come faster than from one.

mod float;
mod integer;
mod vector;

use std::arch::x86_64::*;

use super::table::{Kernel, TileFunction, vector_functions};
use super::tile::Tile;
use super::walk::{self, IntegerSum, Product};
use float::Bf16;
use integer::{Int4, Int4Vnni, Int8, Int8Vnni};

/// The tile functions of a format for one row, two rows and so on, by so many panels; for each, how many vectors of a
/// panel are computed at a time.
macro_rules! tiles {
    ($function:ident, $format:ty, $panels:literal: $(($rows:literal, $columns:literal))*) => {
        &[$($function::<$format, $rows, $panels, $columns>),*]
    };
}

pub(super) const F32: Kernel = kernel(
    tiles!(float_tile, float::F32, 1: (1, 4) (2, 4) (3, 4) (4, 2) (5, 2) (6, 2)),
    tiles!(float_tile, float::F32, 2: (1, 4) (2, 2) (3, 2) (4, 1) (5, 1) (6, 1)),
);
pub(super) const BF16: Kernel = kernel(
    tiles!(float_tile, Bf16, 1: (1, 4) (2, 4) (3, 2) (4, 2)),
    tiles!(float_tile, Bf16, 2: (1, 4) (2, 2) (3, 1) (4, 1)),
);
pub(super) const INT8: Kernel = Kernel {
    limits_integers: true,
    ..kernel(
        tiles!(integer_tile, Int8, 1: (1, 4) (2, 4) (3, 2) (4, 2)),
        tiles!(integer_tile, Int8, 2: (1, 4) (2, 2) (3, 1) (4, 1)),
    )
};
pub(super) const INT4: Kernel = kernel(
    tiles!(integer_tile, Int4, 1: (1, 4) (2, 4) (3, 2) (4, 2)),
    tiles!(integer_tile, Int4, 2: (1, 4) (2, 2) (3, 1) (4, 1)),
);
pub(super) const INT8_VNNI: Kernel = with_vnni(kernel(
    tiles!(vnni_tile, Int8Vnni, 1: (1, 4) (2, 4) (3, 4) (4, 2) (5, 2) (6, 2)),
    tiles!(vnni_tile, Int8Vnni, 2: (1, 4) (2, 2) (3, 2) (4, 1) (5, 1) (6, 1)),
));
pub(super) const INT4_VNNI: Kernel = with_vnni(kernel(
    tiles!(vnni_tile, Int4Vnni, 1: (1, 4) (2, 4) (3, 2) (4, 2)),
    tiles!(vnni_tile, Int4Vnni, 2: (1, 4) (2, 2) (3, 1) (4, 1)),
));

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
        is_available: has_avx2,
    }
}

const fn with_vnni(kernel: Kernel) -> Kernel {
    Kernel {
        name: "avx-vnni",
        is_available: || has_avx2() && is_x86_feature_detected!("avxvnni"),
        ..kernel
    }
}

fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
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

/// See [`walk::integer_tile`].
///
/// # Safety
/// As there; the processor has the target features.
#[target_feature(enable = "avx2,fma,avxvnni")]
unsafe fn vnni_tile<
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
