//! Arithmetic on a row of scores.

#![allow(clippy::needless_range_loop)] // Loops count: iterators are not always inlined, nor vectorised then.

mod best;
mod exponential;
mod order;
mod pieces;

pub use best::Continuation;

pub(crate) use best::{keep, keep_best};
pub(crate) use order::MostFirst;
pub(crate) use pieces::map_all;

use exponential::{exp, exp_sum};
use pieces::{change_pieces, map_pieces};

/// Scores that are summed or compared together: few enough that their sum loses nothing in 32 bits.
const BLOCK: usize = 64;

/// Scores that are compared side by side.
const WIDE: usize = 32;

/// Subtracts the logarithm of the sum of exponentials, which turns logits into log-probabilities.
/// Returns whether the scores allowed it: no NaN, no positive infinity, at least one finite.
pub(crate) fn log_softmax(scores: &mut [f32]) -> bool {
    match Normaliser::of(scores) {
        Some(normaliser) => {
            change_pieces(
                scores,
                #[inline(always)]
                |piece| {
                    for score in piece {
                        *score = normaliser.log_prob(*score);
                    }
                },
            );
            true
        }
        None => false,
    }
}

/// The scores of tokens that are possible, with the tokens.
pub(crate) fn possible(scores: &[f32]) -> impl Iterator<Item = (f32, u32)> {
    let is_possible = |(score, _): &(f32, u32)| *score > f32::NEG_INFINITY;
    scores.iter().copied().zip(0..).filter(is_possible)
}

/// The score of which `k` are as large or larger; minus infinity if there are not so many.
pub(crate) fn kth_largest(scores: &[f32], k: usize) -> f32 {
    // A short list of the best is kept while looking; a long one would be moved about too often.
    const SHORT: usize = 256;
    match k {
        0 => f32::INFINITY,
        1 => largest(scores),
        2..=SHORT => {
            let mut best = Vec::new();
            keep_best(&mut best, k, 0, 0.0, scores);
            best.get(k - 1).map_or(f32::NEG_INFINITY, |last| last.score)
        }
        _ if k > scores.len() => f32::NEG_INFINITY,
        _ => {
            let mut scores = scores.to_vec();
            *scores
                .select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a))
                .1
        }
    }
}

/// Whether scores have no NaN, no positive infinity, and at least one that is finite.
pub(crate) fn is_usable(scores: &[f32]) -> bool {
    let pieces = map_pieces(
        scores,
        #[inline(always)]
        |piece| {
            let mut has_nan = false;
            for score in piece {
                has_nan |= score.is_nan();
            }
            (largest_of(piece), has_nan)
        },
    );
    let largest = pieces.iter().map(|(largest, _)| *largest);
    largest.fold(f32::NEG_INFINITY, f32::max).is_finite()
        && !pieces.iter().any(|(_, has_nan)| *has_nan)
}

/// What makes probabilities of a row of scores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Normaliser {
    largest: f32,
    /// Sum of the exponentials of what the scores are below the largest.
    sum: f64,
    log_sum: f32,
}

impl Normaliser {
    /// None if the scores are not usable.
    pub(crate) fn of(scores: &[f32]) -> Option<Self> {
        let largest = largest(scores);
        if !largest.is_finite() {
            return None;
        }
        let sums = map_pieces(
            scores,
            #[inline(always)]
            |piece| {
                let mut sum = 0.0;
                for block in piece.chunks(BLOCK) {
                    sum += exp_sum(block, largest);
                }
                sum
            },
        );
        let sum: f64 = sums.iter().sum();
        sum.is_finite().then(|| Self {
            largest,
            sum,
            log_sum: sum.ln() as f32,
        })
    }

    /// The logarithm of a score's probability.
    #[inline(always)]
    pub(crate) fn log_prob(self, score: f32) -> f32 {
        // One after the other, as PyTorch and JAX do: the sum of both, rounded to the resolution of
        // a large logit, would cost digits.
        (score - self.largest) - self.log_sum
    }

    /// The score that has this probability.
    pub(crate) fn score_of(self, probability: f64) -> f32 {
        ((probability * self.sum).ln() + f64::from(self.largest)) as f32
    }

    /// The probability of a score.
    pub(crate) fn probability(self, score: f32) -> f64 {
        f64::from(score - self.largest).exp() / self.sum
    }

    /// What a token of this score adds to the entropy, in nats.
    pub(crate) fn entropy_of(self, score: f32) -> f64 {
        let log_prob = f64::from(self.log_prob(score));
        -log_prob * log_prob.exp()
    }

    /// The token at which the probabilities, added up in the order of the vocabulary, pass `share`
    /// of 1. Never one of no probability.
    pub(crate) fn token_at(self, share: f64, scores: &[f32]) -> Option<u32> {
        let mut rest = share * self.sum;
        for (number, block) in scores.chunks(BLOCK).enumerate() {
            let sum = exp_sum(block, self.largest);
            if rest >= sum {
                rest -= sum;
                continue;
            }
            for (place, score) in block.iter().enumerate() {
                let weight = f64::from(exp(score - self.largest));
                if rest < weight {
                    return Some((number * BLOCK + place) as u32);
                }
                rest -= weight;
            }
        }
        // Rounding has left a rest.
        let last = scores
            .iter()
            .rposition(|score| exp(score - self.largest) > 0.0);
        last.map(|token| token as u32)
    }
}

/// The largest score; NaN is not seen.
fn largest(scores: &[f32]) -> f32 {
    let largest = map_pieces(scores, largest_of);
    largest.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

/// Likewise, on this thread.
#[inline(always)]
fn largest_of(scores: &[f32]) -> f32 {
    let (lanes, rest) = scores.as_chunks::<WIDE>();
    let mut most = [f32::NEG_INFINITY; WIDE];
    for scores in lanes {
        // Counted, and not with `max`: this is one instruction of every processor.
        for lane in 0..WIDE {
            let score = scores[lane];
            most[lane] = if score > most[lane] {
                score
            } else {
                most[lane]
            };
        }
    }
    let mut largest = f32::NEG_INFINITY;
    for lane in 0..WIDE {
        largest = largest.max(most[lane]);
    }
    for score in rest {
        largest = largest.max(*score);
    }
    largest
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
        let usable = |scores: &[f32]| (Normaliser::of(scores).is_some(), is_usable(scores));
        for length in [2, 9, 30] {
            let mut scores = vec![f32::NEG_INFINITY; length];
            assert_eq!(usable(&scores), (false, false));
            scores[length / 2] = 1.5;
            assert_eq!(usable(&scores), (true, true));
            let normaliser = Normaliser::of(&scores).unwrap();
            assert_eq!(normaliser.log_prob(1.5), 0.0);
            assert_eq!(normaliser.probability(f32::NEG_INFINITY), 0.0);
            for place in 0..length {
                for bad in [f32::NAN, f32::INFINITY] {
                    let mut scores = scores.clone();
                    scores[place] = bad;
                    assert_eq!(usable(&scores), (false, false), "{bad} at {place}");
                }
            }
        }
        assert_eq!(usable(&[]), (false, false));
    }

    #[test]
    fn tokens_are_found_where_their_probabilities_begin() {
        let mut scores = vec![f32::NEG_INFINITY; 200];
        for (token, probability) in [(3, 0.25_f32), (70, 0.5), (199, 0.25)] {
            scores[token] = probability.ln();
        }
        let normaliser = Normaliser::of(&scores).unwrap();
        for (share, token) in [
            (0.0, 3),
            (0.24, 3),
            (0.26, 70),
            (0.74, 70),
            (0.76, 199),
            (1.0, 199),
        ] {
            assert_eq!(normaliser.token_at(share, &scores), Some(token), "{share}");
        }
    }
}
