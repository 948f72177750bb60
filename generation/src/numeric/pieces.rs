//! Work on all threads, if the crate is built for it. Results are the same without.

#[cfg(feature = "rayon")]
use rayon::prelude::*;

/// Scores that a thread takes at a time: some ten microseconds.
const PIECE: usize = 1 << 14;

/// What a function makes of each piece of a row of scores, in order.
pub(super) fn map_pieces<R: Send>(
    scores: &[f32],
    map: impl Fn(&[f32]) -> R + Send + Sync,
) -> Vec<R> {
    #[cfg(feature = "rayon")]
    if scores.len() > PIECE {
        return scores.par_chunks(PIECE).map(map).collect();
    }
    scores.chunks(PIECE).map(map).collect()
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
