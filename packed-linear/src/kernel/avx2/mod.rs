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
use integer::{Int4, Int8, Pairs, Vnni};

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
        tiles!(integer_tile, Int8<Pairs>, 1: (1, 4) (2, 4) (3, 2) (4, 2)),
        tiles!(integer_tile, Int8<Pairs>, 2: (1, 4) (2, 2) (3, 1) (4, 1)),
    )
};
pub(super) const INT4: Kernel = kernel(
    tiles!(integer_tile, Int4<Pairs>, 1: (1, 4) (2, 4) (3, 2) (4, 2)),
    tiles!(integer_tile, Int4<Pairs>, 2: (1, 4) (2, 2) (3, 1) (4, 1)),
);
pub(super) const INT8_VNNI: Kernel = with_vnni(kernel(
    tiles!(vnni_tile, Int8<Vnni>, 1: (1, 4) (2, 4) (3, 4) (4, 2) (5, 2) (6, 2)),
    tiles!(vnni_tile, Int8<Vnni>, 2: (1, 4) (2, 2) (3, 2) (4, 1) (5, 1) (6, 1)),
));
pub(super) const INT4_VNNI: Kernel = with_vnni(kernel(
    tiles!(vnni_tile, Int4<Vnni>, 1: (1, 4) (2, 4) (3, 2) (4, 2)),
    tiles!(vnni_tile, Int4<Vnni>, 2: (1, 4) (2, 2) (3, 1) (4, 1)),
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

/// A tile function of [`walk`] for formats with a bound, compiled for target features.
macro_rules! compiled {
    ($name:ident = $function:ident, $product:path, $features:literal) => {
        /// # Safety
        /// As for the function of [`walk`]; the processor has the target features.
        #[target_feature(enable = $features)]
        unsafe fn $name<
            P: $product,
            const ROWS: usize,
            const PANELS: usize,
            const COLUMNS: usize,
        >(
            tile: &Tile<'_>,
        ) {
            // SAFETY: as the caller promises.
            unsafe { walk::$function::<P, ROWS, PANELS, COLUMNS>(tile) };
        }
    };
}

compiled!(float_tile = float_tile, Product, "avx2,fma");
compiled!(integer_tile = integer_tile, Product<Sum: IntegerSum>, "avx2,fma");
compiled!(vnni_tile = integer_tile, Product<Sum: IntegerSum>, "avx2,fma,avxvnni");
