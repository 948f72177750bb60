//! Kernels: what multiplies a few rows by a panel of weights, for each instruction set.
//!
//! A [`Kernel`] has a function for each number of rows whose sums fit into registers. It
//! reads a part of a panel once, from front to back, and adds to the sums of its rows.
//! [`multiply`](multiply()) calls it for all panels and blocks of rows, on all threads.

#![allow(unsafe_code)] // Each kernel states what it requires, and `tile.rs` checks it.
#![allow(clippy::needless_range_loop)] // Sums stay in registers only if they are indexed, not iterated over.

mod attend;
mod attention;
#[cfg(feature = "autodiff")]
mod attention_gradient;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
mod choice;
#[cfg(feature = "autodiff")]
mod cross_entropy;
mod excess;
mod few_queries;
mod finish;
mod functions;
#[cfg(feature = "autodiff")]
mod gradient;
mod head;
#[cfg(feature = "autodiff")]
mod interleave;
mod many_queries;
#[cfg(feature = "autodiff")]
mod matrix;
mod multiply;
mod norm;
mod normalise;
mod output;
mod portable;
mod prefetch;
mod prepare;
mod quantise;
mod rows;
mod softmax;
mod table;
#[cfg(test)]
mod tests;
mod tile;
#[cfg(feature = "autodiff")]
mod training;
#[cfg(feature = "autodiff")]
mod training_functions;
mod vector;
mod walk;

pub(crate) use attend::attend;
pub(crate) use attention::{Attention, Bias, Vectors};
#[cfg(feature = "autodiff")]
pub(crate) use attention_gradient::{Attending, Heads, Mask};
pub(crate) use choice::best;
#[cfg(feature = "autodiff")]
pub(crate) use matrix::{Factor, Matrix, multiply_each, multiply_joined, multiply_stacked};
pub(crate) use multiply::{Job, multiply};
pub(crate) use norm::Norm;
pub(crate) use normalise::normalise;
pub(crate) use rows::Rows;
pub(crate) use table::Kernel;
#[cfg(feature = "autodiff")]
pub(crate) use training::{
    Target, activation_gradient, attend_keeping, attention_gradient, cross_entropy,
    cross_entropy_gradient, norm_gradient,
};
