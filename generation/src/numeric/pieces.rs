//! Work on all threads and with the widest vectors, as far as the crate is built for it. Results are the
//! same without.

#[cfg(feature = "rayon")]
use rayon::prelude::*;

use super::BLOCK;

/// Scores that a thread takes at a time: some microseconds.
const PIECE: usize = 256 * BLOCK;

/// What a function makes of each piece of a row of scores, in order. Pieces are whole blocks.
///
/// The function is to be marked `#[inline(always)]`: only what is inlined is vectorised.
pub(super) fn map_pieces<R: Send>(
    scores: &[f32],
    map: impl Fn(&[f32]) -> R + Send + Sync,
) -> Vec<R> {
    let map = |piece| {
        vectorised(
            #[inline(always)]
            || map(piece),
        )
    };
    #[cfg(feature = "rayon")]
    if scores.len() > PIECE {
        return scores.par_chunks(PIECE).map(map).collect();
    }
    scores.chunks(PIECE).map(map).collect()
}

/// Changes each piece of a row of scores; likewise.
pub(super) fn change_pieces(scores: &mut [f32], change: impl Fn(&mut [f32]) + Send + Sync) {
    let change = |piece| {
        vectorised(
            #[inline(always)]
            || change(piece),
        )
    };
    #[cfg(feature = "rayon")]
    if scores.len() > PIECE {
        return scores.par_chunks_mut(PIECE).for_each(change);
    }
    scores.chunks_mut(PIECE).for_each(change);
}

/// What a function makes of each item, in order; `numbers` is how many numbers it looks through in all.
pub(crate) fn map_all<T: Send, R: Send>(
    numbers: usize,
    items: Vec<T>,
    map: impl Fn(T) -> R + Send + Sync,
) -> Vec<R> {
    #[cfg(feature = "rayon")]
    if items.len() > 1 && numbers > PIECE {
        return items.into_par_iter().map(map).collect();
    }
    let _ = numbers;
    items.into_iter().map(map).collect()
}

/// Runs a function, as far as it is inlined, with the instructions that this machine has rather than
/// those that every machine of its kind has.
#[inline(always)]
fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(feature = "simd")]
    return pulp::Arch::new().dispatch(work);
    #[cfg(not(feature = "simd"))]
    work()
}
