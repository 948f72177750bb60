use super::chunks::map_chunks;
use super::{BLOCK, largest_of};

/// A continuation of a row by one token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Continuation {
    /// Index of the row that is continued.
    pub row: usize,
    /// The token.
    pub token: u32,
    /// Score of the token alone.
    pub log_prob: f32,
    /// Score of the row and the token together.
    pub score: f32,
}

/// Adds the `k` best continuations of a row to `best`, which stays sorted, best first, and at most
/// `k` long.
///
/// Does not sort the vocabulary: each score is compared with the worst one kept, and only in blocks
/// whose largest score is better than that. Among equal scores the earlier row and token comes first.
/// Minus infinity is never kept.
pub(crate) fn keep_best(
    best: &mut Vec<Continuation>,
    k: usize,
    row: usize,
    row_score: f32,
    scores: &[f32],
) {
    if k == 0 {
        return;
    }
    let mut worst = match best.last() {
        Some(last) if best.len() == k => last.score,
        _ => f32::NEG_INFINITY,
    };
    let largest = map_chunks(
        scores,
        #[inline(always)]
        |chunk| {
            let mut largest = Vec::with_capacity(chunk.len().div_ceil(BLOCK));
            for block in chunk.chunks(BLOCK) {
                largest.push(largest_of(block));
            }
            largest
        },
    );
    let blocks = scores.chunks(BLOCK).zip(largest.iter().flatten());
    for (number, (block, largest)) in blocks.enumerate() {
        // Adding the row's score keeps the order, so no sum of the block is better than its largest.
        if largest + row_score <= worst {
            continue;
        }
        for (position, log_prob) in block.iter().enumerate() {
            let score = log_prob + row_score;
            if score > worst {
                let next = Continuation {
                    row,
                    token: (number * BLOCK + position) as u32,
                    log_prob: *log_prob,
                    score,
                };
                keep(best, k, next);
                if best.len() == k {
                    worst = best[k - 1].score;
                }
            }
        }
    }
}

/// Inserts a continuation after those that are as good or better, if it is one of the `k` best.
pub(crate) fn keep(best: &mut Vec<Continuation>, k: usize, next: Continuation) {
    let position = best.partition_point(|other| other.score >= next.score);
    if position >= k {
        return;
    }
    best.truncate(k - 1);
    best.insert(position, next);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_several_rows_are_those_that_sorting_finds() {
        // A small generator; many equal scores on purpose.
        let mut state = 12345u32;
        let mut random = || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            (state >> 24) as f32 / 16.0
        };
        for (k, vocabulary) in [(1, 20), (2, 200), (7, 333), (30, 20), (300, 500)] {
            let rows: Vec<Vec<f32>> = (0..3)
                .map(|_| (0..vocabulary).map(|_| random()).collect())
                .collect();
            let mut all: Vec<(usize, u32, f32)> = Vec::new();
            let mut best = Vec::new();
            for (row, scores) in rows.iter().enumerate() {
                let row_score = -(row as f32);
                keep_best(&mut best, k, row, row_score, scores);
                let scores = scores.iter().enumerate();
                all.extend(scores.map(|(token, score)| (row, token as u32, score + row_score)));
            }
            all.sort_by(|a, b| b.2.total_cmp(&a.2)); // stable: earlier first among equals
            let found: Vec<_> = best.iter().map(|c| (c.row, c.token, c.score)).collect();
            assert_eq!(found, all[..k]);
        }
    }

    #[test]
    fn none_are_kept_where_none_are_wanted_or_possible() {
        let mut best = Vec::new();
        keep_best(&mut best, 0, 0, 0.0, &[1.0]);
        keep_best(&mut best, 3, 0, 0.0, &[f32::NEG_INFINITY; 70]);
        assert!(best.is_empty());
    }
}
