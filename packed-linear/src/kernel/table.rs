//! The functions of a kernel. Each is compiled for the instructions of one kind of processor.

use super::attention::{Attention, Head};
use super::block::{Block, Buffers};
use super::norm::Norm;
use super::output::Columns;
use super::tile::{Sums, Tile};
use crate::PackedShape;
use crate::epilogue::Epilogue;

/// How weights of a format are multiplied on one kind of processor.
///
/// # Safety
/// Whoever makes one promises that its functions need no other instructions than those that
/// `is_available` looks for. Kernels are only called where it has returned true.
#[derive(Clone, Copy)]
pub(crate) struct Kernel {
    pub(crate) name: &'static str,
    /// What multiplies `i + 1` rows.
    pub(super) tiles: &'static [TileFunction],
    /// What multiplies `i + 1` rows by two panels. Not all kernels have these.
    pub(super) pair_tiles: &'static [TileFunction],
    /// Whether integers must be limited; see [`excess`](super::excess).
    pub(super) limits_integers: bool,
    pub(super) finish: Finish,
    pub(super) pack: Pack,
    pub(super) normalise: Normalise,
    pub(super) attend: Attend,
    #[cfg(feature = "autodiff")]
    pub(super) training: super::training_functions::TrainingFunctions,
    /// Whether the processor has the instructions.
    pub(super) is_available: fn() -> bool,
}

/// Multiplies a block of rows by a part of a panel and adds the results to the sums of the tile.
///
/// # Safety
/// The processor has the kernel's instructions, and the tile was made by [`Tile::new`] for as many rows as
/// the function multiplies.
pub(super) type TileFunction = unsafe fn(&Tile<'_>);

/// See [`finish`](super::finish::finish).
pub(super) type Finish = unsafe fn(&Epilogue<'_>, &[Sums], &[f32], Columns);

/// See [`Block::pack`].
pub(super) type Pack = unsafe fn(Block<'_>, PackedShape, &mut Buffers);

/// See [`layer_norm`](super::norm::layer_norm).
pub(super) type Normalise = unsafe fn(&Norm<'_>, &[f32], *mut f32);

/// See [`attend`](super::head::attend).
pub(super) type Attend = unsafe fn(&Attention<'_>, Head<'_>);

impl Kernel {
    /// How many rows it multiplies at a time.
    pub(super) fn most_rows(&self) -> usize {
        self.tiles.len()
    }

    /// Whether it can multiply so many rows by two panels at a time.
    pub(super) fn has_pairs(&self, rows: usize) -> bool {
        rows <= self.pair_tiles.len()
    }

    /// Multiplies a tile.
    ///
    /// # Safety
    /// The tile was made by [`Tile::new`] for `rows` rows, `panels` panels and this kernel's format.
    ///
    /// # Panics
    /// If the kernel doesn't multiply so many rows or panels at a time.
    pub(super) unsafe fn multiply(&self, [rows, panels]: [usize; 2], tile: &Tile<'_>) {
        let tiles = match panels {
            1 => self.tiles,
            _ => self.pair_tiles,
        };
        // SAFETY: as the caller promises; a kernel is only called where the processor has its instructions.
        unsafe { tiles[rows - 1](tile) }
    }

    /// Finishes the sums of a block of rows, one panel of outputs.
    ///
    /// # Safety
    /// The output has room for these rows and columns, which no other thread accesses, and holds values if
    /// the epilogue adds to them.
    pub(super) unsafe fn finish(
        &self,
        epilogue: &Epilogue<'_>,
        sums: &[Sums],
        scales: &[f32],
        columns: Columns,
    ) {
        // SAFETY: as the caller promises; a kernel is only called where the processor has its instructions.
        unsafe { (self.finish)(epilogue, sums, scales, columns) }
    }

    /// Brings a block of rows into the form that this kernel reads.
    pub(super) fn pack(&self, block: Block<'_>, shape: PackedShape, buffers: &mut Buffers) {
        // SAFETY: a kernel is only called where the processor has its instructions.
        unsafe { (self.pack)(block, shape, buffers) }
    }

    /// Normalises a row.
    ///
    /// # Safety
    /// There is room for the row at `normed`, which no other thread accesses.
    ///
    /// # Panics
    /// If the norm has another width than the row.
    pub(super) unsafe fn normalise(&self, norm: &Norm<'_>, row: &[f32], normed: *mut f32) {
        norm.check(row.len());
        // SAFETY: as the caller promises; a kernel is only called where the processor has its instructions.
        unsafe { (self.normalise)(norm, row, normed) }
    }

    /// Attends as one head of a batch item.
    ///
    /// # Safety
    /// No other thread accesses the outputs of this batch item and head.
    pub(super) unsafe fn attend(&self, attention: &Attention<'_>, head: Head<'_>) {
        // SAFETY: as the caller promises; a kernel is only called where the processor has its instructions.
        unsafe { (self.attend)(attention, head) }
    }
}

/// The instances of a tile function for one row, two rows and so on.
macro_rules! tiles {
    ($function:ident: $($rows:literal)*) => { &[$($function::<$rows>),*] };
}
pub(super) use tiles;

/// The functions `finish`, `pack`, `normalise` and `attend` of a [`Kernel`], compiled for a type of vectors and its
/// target features.
macro_rules! vector_functions {
    ($vector:ty $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn finish(
            epilogue: &$crate::epilogue::Epilogue<'_>,
            sums: &[$crate::kernel::tile::Sums],
            scales: &[f32],
            columns: $crate::kernel::output::Columns,
        ) {
            // SAFETY: as the caller promises.
            unsafe { $crate::kernel::finish::finish::<$vector>(epilogue, sums, scales, columns) };
        }

        $(#[target_feature(enable = $features)])?
        unsafe fn pack(
            block: $crate::kernel::block::Block<'_>,
            shape: $crate::PackedShape,
            buffers: &mut $crate::kernel::block::Buffers,
        ) {
            // SAFETY: as the caller promises.
            unsafe { block.pack::<$vector>(shape, buffers) };
        }

        $(#[target_feature(enable = $features)])?
        unsafe fn normalise(norm: &$crate::kernel::norm::Norm<'_>, row: &[f32], normed: *mut f32) {
            // SAFETY: as the caller promises.
            unsafe { $crate::kernel::norm::layer_norm::<$vector>(norm, row, normed) };
        }

        $(#[target_feature(enable = $features)])?
        unsafe fn attend(
            attention: &$crate::kernel::attention::Attention<'_>,
            head: $crate::kernel::attention::Head<'_>,
        ) {
            // SAFETY: as the caller promises.
            unsafe { $crate::kernel::head::attend::<$vector>(attention, head) };
        }

        #[cfg(feature = "autodiff")]
        $crate::kernel::training_functions::training_functions!($vector $(, $features)?);
    };
}
pub(super) use vector_functions;
