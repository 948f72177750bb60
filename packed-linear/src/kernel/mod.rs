//! Kernels: what multiplies a few rows by a panel of weights, for each instruction set.
//!
//! A kernel is a function for each number of rows that it can hold sums of in registers. It reads a
//! part of a panel once, from front to back, and adds to the sums of its rows. [`multiply`] calls
//! it for all panels and blocks of rows, on all threads.

#![allow(unsafe_code)] // Each kernel says what it needs; `tile.rs` checks it.
#![allow(clippy::needless_range_loop)] // Sums that are iterated over do not stay in registers.

mod attention;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
mod functions;
mod many_queries;
mod multiply;
mod portable;
mod prefetch;
mod rows;
#[cfg(test)]
mod tests;
mod tile;
mod vector;

use std::sync::OnceLock;

use attention::Head;
pub(crate) use attention::{Attention, MOST_HEAD_WIDTH, Vectors, attend};
use block::{Block, Room};
pub(crate) use multiply::{Job, multiply};
pub(crate) use rows::{Norm, Rows};
use tile::{Finish, Pack, Tile};

use crate::{PackedShape, Precision};

/// What multiplies a block of rows by a part of a panel.
///
/// # Safety
/// The processor has the kernel's instructions, and the tile was made by [`Tile::new`].
type TileFunction = unsafe fn(&Tile<'_>);

/// How weights of a precision are multiplied by on this machine.
#[derive(Clone, Copy)]
pub(crate) struct Kernel {
    pub(crate) name: &'static str,
    /// The function for `i + 1` rows.
    tiles: &'static [TileFunction],
    finish: Finish,
    pack: Pack,
    /// What attends with the same instructions.
    attend: Head,
    /// Whether the machine has the instructions.
    is_available: fn() -> bool,
}

impl Kernel {
    /// Rows that it takes at a time.
    fn most_rows(&self) -> usize {
        self.tiles.len()
    }

    /// Brings a block of rows into the form that this kernel reads.
    fn pack(&self, block: Block<'_>, shape: PackedShape, room: &mut Room) {
        // SAFETY: a kernel is only chosen where the processor has its instructions.
        unsafe { (self.pack)(block, shape, room) }
    }

    /// Every kernel of a precision that was compiled, the fastest first.
    pub(crate) fn all(precision: Precision) -> &'static [Self] {
        #[cfg(target_arch = "x86_64")]
        return match precision {
            Precision::F32 => &[avx512::F32, avx2::F32, portable::F32],
            Precision::BF16 => &[avx512::BF16, avx2::BF16, portable::BF16],
            Precision::Int8 => &[avx512::INT8, avx2::INT8, portable::INT8],
            Precision::Int4 => &[avx512::INT4, avx2::INT4, portable::INT4],
        };
        #[cfg(not(target_arch = "x86_64"))]
        return match precision {
            Precision::F32 => &[portable::F32],
            Precision::BF16 => &[portable::BF16],
            Precision::Int8 => &[portable::INT8],
            Precision::Int4 => &[portable::INT4],
        };
    }

    /// The fastest that this machine can run. With the environment variable `PACKED_LINEAR_KERNEL`
    /// only kernels of that name are considered, and the portable ones.
    pub(crate) fn best(precision: Precision) -> &'static Self {
        static BEST: [OnceLock<&'static Kernel>; 4] = [const { OnceLock::new() }; 4];
        BEST[precision as usize].get_or_init(|| {
            let wanted = std::env::var("PACKED_LINEAR_KERNEL").ok();
            let kernels = Self::all(precision);
            let allowed = |kernel: &&Self| {
                (kernel.is_available)()
                    && wanted
                        .as_ref()
                        .is_none_or(|name| kernel.name.starts_with(name.as_str()))
            };
            let portable = &kernels[kernels.len() - 1];
            kernels.iter().find(allowed).unwrap_or(portable)
        })
    }
}

/// A tile function for each number of rows up to the last that is named.
macro_rules! tiles {
    ($function:ident: $($rows:literal)*) => { &[$($function::<$rows>),*] };
}
use tiles;

/// What kernels do with vectors of a type, compiled for the instructions of that type: `finish`, `pack`
/// and `attend` of a [`Kernel`].
macro_rules! vector_functions {
    ($vector:ty $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn finish(
            epilogue: &$crate::epilogue::Epilogue<'_>,
            sums: &[$crate::kernel::tile::Sums],
            scales: &[f32],
            outputs: $crate::kernel::tile::Outputs,
        ) {
            // SAFETY: as the caller promises, here and below.
            unsafe { <$vector>::finish(epilogue, sums, scales, outputs) };
        }

        $(#[target_feature(enable = $features)])?
        unsafe fn pack(
            block: $crate::kernel::block::Block<'_>,
            shape: $crate::PackedShape,
            room: &mut $crate::kernel::block::Room,
        ) {
            // SAFETY: likewise.
            unsafe { block.pack::<$vector>(shape, room) };
        }

        $(#[target_feature(enable = $features)])?
        unsafe fn attend(
            attention: &$crate::kernel::attention::Attention<'_>,
            pair: $crate::kernel::attention::Pair<'_>,
        ) {
            // SAFETY: likewise.
            unsafe { $crate::kernel::attention::attend_as_head::<$vector>(attention, pair) };
        }
    };
}
use vector_functions;
