use rayon::prelude::*;

use super::attention::{Attention, Head};
use super::output::Output;
use super::table::Kernel;
use crate::spare;

/// Below this many products of queries and keys one thread is faster.
const LEAST_FOR_THREADS: usize = 1 << 15;

/// Portions of heads per thread.
const PORTIONS: usize = 4;

/// The softmax of the scaled products of queries and keys, times the values: `[batch · queries,
/// heads · head_width]`. If `weights` are given, the softmax is written to them, `[batch, heads, queries,
/// length]`.
///
/// # Panics
/// If there are more or fewer weights.
pub(crate) fn attend(
    kernel: &Kernel,
    attention: Attention<'_>,
    weights: Option<&mut [f32]>,
) -> Vec<f32> {
    let Attention {
        query,
        batch,
        heads,
        head_width,
        length,
        ..
    } = attention;
    if let Some(weights) = &weights {
        let queries = query.len() / head_width;
        assert_eq!(weights.len(), queries * length, "weights of attention");
    }
    let mut output = spare::take(query.len());
    let context = Output::with_room(&mut output, query.len());
    let weights = weights.map(Output::new);
    let one = |buffer: &mut Vec<f32>, index: usize| {
        let head = Head {
            item: index / heads,
            head: index % heads,
            buffer,
            context,
            weights,
        };
        // SAFETY: each head of each batch item is attended with once.
        unsafe { kernel.attend(&attention, head) };
    };
    let all = 0..batch * heads;
    if query.len() * length < LEAST_FOR_THREADS || rayon::current_num_threads() == 1 {
        let mut buffer = Vec::new();
        all.for_each(|index| one(&mut buffer, index));
    } else {
        let portion = all.len().div_ceil(PORTIONS * rayon::current_num_threads());
        all.into_par_iter()
            .with_min_len(portion)
            .for_each_init(Vec::new, one);
    }
    // SAFETY: there is room for them, and the heads together wrote all.
    unsafe { output.set_len(query.len()) };
    output
}
