//! The functions of a kernel that only training needs, compiled like the others of [`Kernel`](super::Kernel).

use super::attention_gradient::{Attending, HeadTask, HeadsOutput};
use super::norm::Norm;
use super::output::Output;
use super::table::{Kernel, TileFunction};
use super::tile::Tile;
use super::vector::LINE_WORDS;
use crate::Activation;

type ActivationGradient = unsafe fn(Option<(Activation, &[f32], *mut f32)>, &[f32], &mut [f32]);
/// Source with its stride, rows and their length, target with its stride.
type Interleave = unsafe fn((*const f32, usize), [usize; 2], (*mut f32, usize));
type NormGradient = unsafe fn(&Norm<'_>, &[f32], &[f32], *mut f32, [&mut [f32]; 2]);

/// See the functions of the same names, and [`Kernel`] for what whoever makes one promises.
#[derive(Clone, Copy)]
pub(super) struct TrainingFunctions {
    /// In place of the kernel's own tiles, if there are any.
    pub(super) tiles: &'static [TileFunction],
    pub(super) interleave: Interleave,
    pub(super) activation_gradient: ActivationGradient,
    pub(super) norm_gradient: NormGradient,
    pub(super) attend: unsafe fn(&Attending<'_>, HeadTask<'_>, Output, Output),
    pub(super) attend_backward:
        unsafe fn(&Attending<'_>, HeadTask<'_>, &[f32], &[f32], [HeadsOutput; 3]),
    pub(super) log_sum: unsafe fn(&[f32]) -> [f32; 2],
    pub(super) probabilities: unsafe fn(&[f32], [f32; 3], *mut f32),
}

impl Kernel {
    /// Multiplies a tile of `f32`.
    ///
    /// # Safety
    /// The tile was made by [`Tile::of_floats`] for `rows` rows, and the kernel is one for `f32`.
    pub(super) unsafe fn multiply_floats(&self, rows: usize, tile: &Tile<'_>) {
        let tiles = match self.training.tiles {
            [] => self.tiles,
            tiles => tiles,
        };
        // SAFETY: as the caller promises; a kernel is only called where the processor has its instructions.
        unsafe { tiles[rows - 1](tile) }
    }

    /// Writes the first value of some rows, then the second value of each at `target_stride`, and so on.
    ///
    /// # Shapes
    /// - values: `[rows, length]`, rows that are `stride` apart
    /// - target: `[length, rows]`
    ///
    /// # Panics
    /// If there are no or too many rows, or fewer values or less room.
    pub(super) fn interleave(
        &self,
        (values, stride): (&[f32], usize),
        [rows, length]: [usize; 2],
        (target, target_stride): (&mut [f32], usize),
    ) {
        assert!(
            rows > 0 && rows <= LINE_WORDS && length > 0,
            "rows to interleave"
        );
        assert!(
            values.len() >= (rows - 1) * stride + length,
            "values to interleave"
        );
        assert!(
            target.len() >= (length - 1) * target_stride + rows,
            "room for rows"
        );
        // SAFETY: sizes were checked; a kernel is only called where the processor has its instructions.
        unsafe {
            (self.training.interleave)(
                (values.as_ptr(), stride),
                [rows, length],
                (target.as_mut_ptr(), target_stride),
            );
        }
    }
}

/// The [`TrainingFunctions`] of a type of vectors and its target features.
macro_rules! training_functions {
    ($vector:ty $(, $features:literal)?) => {
        const TRAINING: $crate::kernel::training_functions::TrainingFunctions = {
            use $crate::kernel::attention_gradient::{Attending, HeadTask, HeadsOutput};
            use $crate::kernel::output::Output;
            use $crate::kernel::training_functions::TrainingFunctions;
            use $crate::kernel::{attention_gradient, cross_entropy, gradient, interleave, norm};

            $(#[target_feature(enable = $features)])?
            unsafe fn interleave(
                values: (*const f32, usize),
                sizes: [usize; 2],
                target: (*mut f32, usize),
            ) {
                // SAFETY: as the caller promises.
                unsafe { interleave::interleave::<$vector>(values, sizes, target) };
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn activation_gradient(
                activated: Option<($crate::Activation, &[f32], *mut f32)>,
                gradients: &[f32],
                sums: &mut [f32],
            ) {
                // SAFETY: as the caller promises.
                unsafe { gradient::activation::<$vector>(activated, gradients, sums) };
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn norm_gradient(
                norm: &norm::Norm<'_>,
                values: &[f32],
                gradients: &[f32],
                result: *mut f32,
                sums: [&mut [f32]; 2],
            ) {
                // SAFETY: as the caller promises.
                unsafe { gradient::layer_norm::<$vector>(norm, values, gradients, result, sums) };
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn attend(
                attending: &Attending<'_>,
                task: HeadTask<'_>,
                context: Output,
                weights: Output,
            ) {
                // SAFETY: as the caller promises.
                unsafe { attention_gradient::attend::<$vector>(attending, task, context, weights) };
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn attend_backward(
                attending: &Attending<'_>,
                task: HeadTask<'_>,
                weights: &[f32],
                gradient: &[f32],
                outputs: [HeadsOutput; 3],
            ) {
                // SAFETY: as the caller promises.
                unsafe {
                    attention_gradient::attend_backward::<$vector>(
                        attending, task, weights, gradient, outputs,
                    );
                }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn log_sum(scores: &[f32]) -> [f32; 2] {
                // SAFETY: as the caller promises.
                unsafe { cross_entropy::log_sum::<$vector>(scores) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn probabilities(scores: &[f32], numbers: [f32; 3], result: *mut f32) {
                // SAFETY: as the caller promises.
                unsafe { cross_entropy::probabilities::<$vector>(scores, numbers, result) };
            }

            TrainingFunctions {
                tiles: &[],
                interleave,
                activation_gradient,
                norm_gradient,
                attend,
                attend_backward,
                log_sum,
                probabilities,
            }
        };
    };
}
pub(super) use training_functions;
