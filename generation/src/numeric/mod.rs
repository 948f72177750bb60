//! Arithmetic on a row of scores.

/// Subtracts the logarithm of the sum of exponentials, which turns logits into log-probabilities.
/// Returns whether the scores allowed it: no NaN, no positive infinity, at least one finite.
pub(crate) fn log_softmax(scores: &mut [f32]) -> bool {
    match largest_and_log_sum(scores) {
        Some((largest, log_sum)) => {
            for score in scores {
                // One after the other, as PyTorch and JAX do: the sum of both, rounded to the
                // resolution of a large logit, would cost digits.
                *score = (*score - largest) - log_sum;
            }
            true
        }
        None => false,
    }
}

/// Whether scores have no NaN, no positive infinity, and at least one that is finite.
pub(crate) fn is_usable(scores: &[f32]) -> bool {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    largest.is_finite() && !scores.iter().any(|score| score.is_nan())
}

/// The logarithm of the sum of exponentials, if it is finite.
pub(crate) fn log_sum_exp(scores: &[f32]) -> Option<f32> {
    largest_and_log_sum(scores).map(|(largest, log_sum)| largest + log_sum)
}

/// The largest score, and the logarithm of the sum of exponentials of what the scores are below it.
fn largest_and_log_sum(scores: &[f32]) -> Option<(f32, f32)> {
    // `f32::max` ignores NaN; the sum does not.
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if !largest.is_finite() {
        return None;
    }
    // Partial sums of a block lose nothing in f32; their sum over a large vocabulary would.
    let sum: f64 = scores
        .chunks(64)
        .map(|block| {
            f64::from(
                block
                    .iter()
                    .map(|score| (score - largest).exp())
                    .sum::<f32>(),
            )
        })
        .sum();
    sum.is_finite().then(|| (largest, sum.ln() as f32))
}

/// Adds the `k` best of a row to `best`, which stays sorted, best first, and at most `k` long.
///
/// Compares each score with the worst that is kept instead of sorting the vocabulary. Among equal
/// scores the earlier row and token comes first. Minus infinity is never kept.
pub(crate) fn keep_best(
    best: &mut Vec<Continuation>,
    k: usize,
    row: usize,
    row_score: f32,
    scores: &[f32],
) {
    let mut worst = match best.last() {
        Some(last) if best.len() == k => last.score,
        _ => f32::NEG_INFINITY,
    };
    for (token, log_prob) in scores.iter().enumerate() {
        let score = log_prob + row_score;
        if score > worst {
            let place = best.partition_point(|other| other.score >= score);
            if best.len() == k {
                best.pop();
            }
            best.insert(
                place,
                Continuation {
                    row,
                    token: token as u32,
                    log_prob: *log_prob,
                    score,
                },
            );
            if best.len() == k {
                worst = best[k - 1].score;
            }
        }
    }
}

/// A continuation of a row by one token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Continuation {
    /// The row that is continued.
    pub row: usize,
    /// The token.
    pub token: u32,
    /// The token's own score.
    pub log_prob: f32,
    /// Of the row and the token together.
    pub score: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_probabilities_sum_to_one_over_a_large_vocabulary() {
        let mut scores: Vec<f32> = (0..250_054).map(|i| (i % 977) as f32 / 100.0).collect();
        assert!(log_softmax(&mut scores));
        let sum: f64 = scores.iter().map(|s| f64::from(*s).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    }

    #[test]
    fn minus_infinity_is_no_error_and_all_else_that_is_not_finite_is() {
        assert_eq!(log_sum_exp(&[0.0, f32::NEG_INFINITY]), Some(0.0));
        for bad in [f32::NAN, f32::INFINITY] {
            assert_eq!(log_sum_exp(&[0.0, bad, 1.0]), None);
        }
        assert_eq!(log_sum_exp(&[f32::NEG_INFINITY; 3]), None);
        assert_eq!(log_sum_exp(&[]), None);
    }

    #[test]
    fn the_best_of_several_rows_are_those_that_sorting_finds() {
        // A small generator; many equal scores on purpose.
        let mut state = 12345u32;
        let mut random = || {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            (state >> 24) as f32 / 16.0
        };
        for k in [1, 2, 7, 30] {
            let rows: Vec<Vec<f32>> = (0..3)
                .map(|_| (0..20).map(|_| random()).collect())
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
}
