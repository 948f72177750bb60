//! Arithmetic on a row of scores.

#![allow(clippy::needless_range_loop)] // Iterators are not always inlined, and then not vectorised.

mod best;
mod chunks;
mod exponential;
mod order;

pub use best::Continuation;

pub(crate) use best::{Best, keep, keep_best};
pub(crate) use chunks::map_all;
pub(crate) use order::LargestFirst;

use chunks::{change_chunks, map_chunks};
use exponential::{exp, exp_sum};

/// Scores that are summed or compared together: few enough for an accurate sum in 32 bits.
const BLOCK: usize = 64;

/// Maxima that are taken side by side.
const LANES: usize = 32;

/// Turns logits into log-probabilities, by subtracting the logarithm of the sum of their
/// exponentials. Returns false, and changes nothing, if there is a NaN or positive infinity or no
/// finite score.
pub(crate) fn log_softmax(scores: &mut [f32]) -> bool {
    match Normaliser::of(scores) {
        Some(normaliser) => {
            change_chunks(
                scores,
                #[inline(always)]
                |chunk| {
                    for score in chunk {
                        *score = normaliser.log_prob(*score);
                    }
                },
            );
            true
        }
        None => false,
    }
}

/// The scores of all possible tokens, with the tokens.
pub(crate) fn possible(scores: &[f32]) -> impl Iterator<Item = (f32, u32)> {
    let is_possible = |(score, _): &(f32, u32)| *score > f32::NEG_INFINITY;
    scores.iter().copied().zip(0..).filter(is_possible)
}

/// The `k`-th largest score; minus infinity if there are fewer than `k`.
pub(crate) fn kth_largest(scores: &[f32], k: usize) -> f32 {
    // For a small `k`, a sorted list of the best is cheap to maintain; for a large one, selection is.
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

/// Whether there is no NaN, no positive infinity, and at least one finite score.
pub(crate) fn is_usable(scores: &[f32]) -> bool {
    let chunks = map_chunks(
        scores,
        #[inline(always)]
        |chunk| {
            let mut has_nan = false;
            for score in chunk {
                has_nan |= score.is_nan();
            }
            (largest_of(chunk), has_nan)
        },
    );
    let largest = chunks.iter().map(|(largest, _)| *largest);
    largest.fold(f32::NEG_INFINITY, f32::max).is_finite()
        && !chunks.iter().any(|(_, has_nan)| *has_nan)
}

/// Turns the scores of one row into probabilities.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Normaliser {
    largest: f32,
    /// Sum of the exponentials of the differences to the largest score.
    sum: f64,
    log_sum: f32,
}

impl Normaliser {
    /// The normaliser of a row of scores; `None` if there is a NaN or positive infinity or no finite
    /// score.
    pub(crate) fn of(scores: &[f32]) -> Option<Self> {
        let largest = largest(scores);
        if !largest.is_finite() {
            return None;
        }
        let sums = map_chunks(
            scores,
            #[inline(always)]
            |chunk| {
                let mut sum = 0.0;
                for block in chunk.chunks(BLOCK) {
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

    /// The log-probability of a score.
    #[inline(always)]
    pub(crate) fn log_prob(self, score: f32) -> f32 {
        // Two subtractions, as in PyTorch and JAX: the sum of both subtrahends would be rounded to
        // the resolution of a large logit.
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

    /// The share of a token with this score in the entropy, in nats.
    pub(crate) fn entropy_of(self, score: f32) -> f64 {
        let log_prob = f64::from(self.log_prob(score));
        -log_prob * log_prob.exp()
    }

    /// The token at which the probabilities, accumulated in the order of the vocabulary, exceed
    /// `share`. Never a token of probability 0.
    pub(crate) fn token_at(self, share: f64, scores: &[f32]) -> Option<u32> {
        let mut rest = share * self.sum;
        for (number, block) in scores.chunks(BLOCK).enumerate() {
            let sum = exp_sum(block, self.largest);
            if rest >= sum {
                rest -= sum;
                continue;
            }
            for (position, score) in block.iter().enumerate() {
                let weight = f64::from(exp(score - self.largest));
                if rest < weight {
                    return Some((number * BLOCK + position) as u32);
                }
                rest -= weight;
            }
        }
        // Rounding has left a remainder.
        let last = scores
            .iter()
            .rposition(|score| exp(score - self.largest) > 0.0);
        last.map(|token| token as u32)
    }
}

/// The largest score; NaN is ignored.
fn largest(scores: &[f32]) -> f32 {
    let largest = map_chunks(scores, largest_of);
    largest.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

/// The largest score, found on this thread; NaN is ignored.
#[inline(always)]
fn largest_of(scores: &[f32]) -> f32 {
    let (lanes, rest) = scores.as_chunks::<LANES>();
    let mut most = [f32::NEG_INFINITY; LANES];
    for scores in lanes {
        // Not `max`: this comparison is a single instruction on every CPU.
        for lane in 0..LANES {
            let score = scores[lane];
            most[lane] = if score > most[lane] {
                score
            } else {
                most[lane]
            };
        }
    }
    let mut largest = f32::NEG_INFINITY;
    for lane in 0..LANES {
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
            for position in 0..length {
                for bad in [f32::NAN, f32::INFINITY] {
                    let mut scores = scores.clone();
                    scores[position] = bad;
                    assert_eq!(usable(&scores), (false, false), "{bad} at {position}");
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
