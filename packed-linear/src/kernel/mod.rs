//! Kernels: what multiplies a few rows by a panel of weights, for each instruction set.
//!
//! A [`Kernel`] has a function for each number of rows whose sums fit into registers. It
//! reads a part of a panel once, from front to back, and adds to the sums of its rows.
//! [`multiply`](multiply()) calls it for all panels and blocks of rows, on all threads.

#![allow(unsafe_code)] // Each kernel states what it requires, and `tile.rs` checks it.
#![allow(clippy::needless_range_loop)] // Sums stay in registers only if they are indexed, not iterated over.

mod attend;
mod attention;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
mod choice;
mod few_queries;
mod finish;
mod functions;
mod head;
mod many_queries;
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
mod vector;

pub(crate) use attend::attend;
pub(crate) use attention::{Attention, Vectors};
pub(crate) use choice::best;
pub(crate) use multiply::{Job, multiply};
pub(crate) use norm::Norm;
pub(crate) use normalise::normalise;
pub(crate) use rows::Rows;
pub(crate) use table::Kernel;
