//! Work on rows of scores, on all threads with the feature `rayon` and with the machine's widest vectors
//! with the feature `simd`. The results are the same without.

#[cfg(feature = "rayon")]
use rayon::prelude::*;

use super::BLOCK;

/// Scores that a thread takes at a time: some microseconds of work.
const CHUNK: usize = 256 * BLOCK;

/// Maps the chunks of a row of scores, in order. Each chunk but the last is a multiple of a block.
///
/// Mark the function `#[inline(always)]`: only inlined code is vectorised.
pub(super) fn map_chunks<R: Send>(
    scores: &[f32],
    map: impl Fn(&[f32]) -> R + Send + Sync,
) -> Vec<R> {
    let map = |chunk| {
        vectorised(
            #[inline(always)]
            || map(chunk),
        )
    };
    #[cfg(feature = "rayon")]
    if scores.len() > CHUNK {
        return scores.par_chunks(CHUNK).map(map).collect();
    }
    scores.chunks(CHUNK).map(map).collect()
}

/// Changes each chunk of a row of scores in place.
///
/// Mark the function `#[inline(always)]`: only inlined code is vectorised.
pub(super) fn change_chunks(scores: &mut [f32], change: impl Fn(&mut [f32]) + Send + Sync) {
    let change = |chunk| {
        vectorised(
            #[inline(always)]
            || change(chunk),
        )
    };
    #[cfg(feature = "rayon")]
    if scores.len() > CHUNK {
        return scores.par_chunks_mut(CHUNK).for_each(change);
    }
    scores.chunks_mut(CHUNK).for_each(change);
}

/// Maps items, in order. `values` is the number of scores that all of them have together.
pub(crate) fn map_all<T: Send, R: Send>(
    values: usize,
    items: Vec<T>,
    map: impl Fn(T) -> R + Send + Sync,
) -> Vec<R> {
    #[cfg(feature = "rayon")]
    if items.len() > 1 && values > CHUNK {
        return items.into_par_iter().map(map).collect();
    }
    let _ = values; // used with the feature `rayon` only
    items.into_iter().map(map).collect()
}

/// Runs a function with all vector instructions of this machine, as far as it is inlined.
#[inline(always)]
fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(feature = "simd")]
    return pulp::Arch::new().dispatch(work);
    #[cfg(not(feature = "simd"))]
    work()
}
