//! The functions of a kernel that only training needs, compiled like the others of [`Kernel`](super::Kernel).

use super::attention_gradient::{Attending, HeadTask, HeadsOutput};
use super::norm::Norm;
use super::output::Output;
use super::table::Kernel;
use super::vector::LINE_WORDS;
use crate::Activation;

/// Rows of as many words as a line, some of which are used.
pub(super) type Lines = [[f32; LINE_WORDS]; LINE_WORDS];

type ActivationGradient = unsafe fn(Option<(Activation, &[f32], *mut f32)>, &[f32], &mut [f32]);
type NormGradient = unsafe fn(&Norm<'_>, &[f32], &[f32], *mut f32, [&mut [f32]; 2]);

/// See the functions of the same names, and [`Kernel`] for what whoever makes one promises.
#[derive(Clone, Copy)]
pub(super) struct TrainingFunctions {
    pub(super) transpose: unsafe fn(&Lines, usize, &mut [f32]),
    pub(super) activation_gradient: ActivationGradient,
    pub(super) norm_gradient: NormGradient,
    pub(super) attend: unsafe fn(&Attending<'_>, HeadTask<'_>, Output, Output),
    pub(super) attend_backward:
        unsafe fn(&Attending<'_>, HeadTask<'_>, &[f32], &[f32], [HeadsOutput; 3]),
    pub(super) log_sum: unsafe fn(&[f32]) -> [f32; 2],
    pub(super) probabilities: unsafe fn(&[f32], [f32; 3], *mut f32),
}

impl Kernel {
    /// Writes the first value of the first `rows` lines, then the second value of each, and so on to the end of
    /// `values`.
    ///
    /// # Panics
    /// If there are more rows or values than the lines have.
    pub(super) fn transpose(&self, lines: &Lines, rows: usize, values: &mut [f32]) {
        assert!(rows > 0 && rows <= LINE_WORDS && values.len() <= rows * LINE_WORDS);
        assert!(values.len().is_multiple_of(rows));
        // SAFETY: a kernel is only called where the processor has its instructions.
        unsafe { (self.training.transpose)(lines, rows, values) }
    }
}

/// The [`TrainingFunctions`] of a type of vectors and its target features.
macro_rules! training_functions {
    ($vector:ty $(, $features:literal)?) => {
        const TRAINING: $crate::kernel::training_functions::TrainingFunctions = {
            use $crate::kernel::attention_gradient::{Attending, HeadTask, HeadsOutput};
            use $crate::kernel::output::Output;
            use $crate::kernel::training_functions::{Lines, TrainingFunctions};
            use $crate::kernel::{attention_gradient, cross_entropy, gradient, norm, vector};

            $(#[target_feature(enable = $features)])?
            unsafe fn transpose(lines: &Lines, rows: usize, values: &mut [f32]) {
                // SAFETY: as the caller promises; floats and words have the same size, and any bits are valid.
                unsafe {
                    let lines = &*std::ptr::from_ref(lines).cast();
                    let values: *mut [f32] = values;
                    <$vector as vector::Vector>::transpose(lines, rows, &mut *(values as *mut [u32]));
                }
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
                transpose,
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
