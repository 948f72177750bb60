use std::cmp::Ordering;

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
    let largest = largest_of_blocks(scores);
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

/// Collects the `k` best of many continuations, for a `k` that is too large to keep them in order all the time. Among
/// equal keys the earlier one comes first.
pub(crate) struct Best {
    k: usize,
    /// At most twice as many as are wanted, with their keys and numbers.
    items: Vec<(f32, usize, Continuation)>,
    /// Only keys above this are among the best.
    worst: f32,
    added: usize,
}

impl Best {
    /// Will keep `k` continuations.
    pub(crate) fn new(k: usize) -> Self {
        Self {
            k,
            items: Vec::new(),
            worst: f32::NEG_INFINITY,
            added: 0,
        }
    }

    /// Adds a continuation unless it is not among the best. Minus infinity never is.
    pub(crate) fn add(&mut self, key: f32, next: Continuation) {
        if self.k == 0 || key.is_nan() || key <= self.worst {
            return;
        }
        self.items.push((key, self.added, next));
        self.added += 1;
        if self.items.len() >= self.k.saturating_mul(2) {
            self.items.select_nth_unstable_by(self.k - 1, Self::order);
            self.items.truncate(self.k);
            self.worst = self.items[self.k - 1].0;
        }
    }

    /// Adds all continuations of a row, as [`keep_best`] does.
    pub(crate) fn add_row(&mut self, row: usize, row_score: f32, scores: &[f32]) {
        let largest = largest_of_blocks(scores);
        let blocks = scores.chunks(BLOCK).zip(largest.iter().flatten());
        for (number, (block, largest)) in blocks.enumerate() {
            if largest + row_score <= self.worst {
                continue;
            }
            for (position, log_prob) in block.iter().enumerate() {
                let score = log_prob + row_score;
                let next = Continuation {
                    row,
                    token: (number * BLOCK + position) as u32,
                    log_prob: *log_prob,
                    score,
                };
                self.add(score, next);
            }
        }
    }

    /// The best, in order.
    pub(crate) fn into_sorted(mut self) -> Vec<Continuation> {
        self.items.sort_unstable_by(Self::order);
        self.items.truncate(self.k);
        self.items.into_iter().map(|(_, _, next)| next).collect()
    }

    fn order(a: &(f32, usize, Continuation), b: &(f32, usize, Continuation)) -> Ordering {
        let by_key = b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal); // there is no NaN
        by_key.then(a.1.cmp(&b.1))
    }
}

/// The largest score of each block.
fn largest_of_blocks(scores: &[f32]) -> Vec<Vec<f32>> {
    map_chunks(
        scores,
        #[inline(always)]
        |chunk| {
            let mut largest = Vec::with_capacity(chunk.len().div_ceil(BLOCK));
            for block in chunk.chunks(BLOCK) {
                largest.push(largest_of(block));
            }
            largest
        },
    )
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
            let mut many = Best::new(k);
            for (row, scores) in rows.iter().enumerate() {
                many.add_row(row, -(row as f32), scores);
            }
            assert_eq!(many.into_sorted(), best);
        }
    }

    #[test]
    fn none_are_kept_where_none_are_wanted_or_possible() {
        let mut best = Vec::new();
        keep_best(&mut best, 0, 0, 0.0, &[1.0]);
        keep_best(&mut best, 3, 0, 0.0, &[f32::NEG_INFINITY; 70]);
        assert!(best.is_empty());
        let mut none = Best::new(0);
        none.add_row(0, 0.0, &[1.0]);
        assert!(none.into_sorted().is_empty());
        let mut impossible = Best::new(usize::MAX);
        impossible.add_row(0, 0.0, &[f32::NEG_INFINITY; 70]);
        assert!(impossible.into_sorted().is_empty());
    }
}
