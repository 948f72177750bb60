use std::collections::HashMap;

use crate::{Error, limits};

/// How many times as much recall counts as precision.
const BETA: f64 = 1.2;

/// ROUGE-L, from 0 to 1, as the captioning challenge of COCO computes it: the mean over all predictions of an F-score of
/// the longest common subsequence of words, where precision and recall are each the best of all references.
///
/// Words are what single spaces separate, so two spaces have an empty word between them, and an empty text is one empty
/// word. ROUGE-L of the package `rouge-score` is another number: it has β = 1, other words, and one reference.
///
/// ```
/// let mut rouge = metrics::RougeL::default();
/// rouge.add("a dog with a ball", &["a dog and a ball"])?;
/// assert!((rouge.score() - 0.8).abs() < 1e-12);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// Source: Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries"; `Rouge` of pycocoevalcap 1.2.
#[derive(Clone, Debug, Default)]
pub struct RougeL {
    sum: f64,
    predictions: u64,
}

impl RougeL {
    /// Adds a prediction and its references.
    ///
    /// # Errors
    /// [`Error::NoReference`] if there is no reference, [`Error::TooLong`] for a text that is no caption.
    pub fn add<R: AsRef<str>>(&mut self, prediction: &str, references: &[R]) -> Result<(), Error> {
        limits::check(prediction, references)?;
        let words: Vec<&str> = prediction.split(' ').collect();
        let (mut precision, mut recall) = (0.0_f64, 0.0_f64);
        for reference in references {
            let expected: Vec<&str> = reference.as_ref().split(' ').collect();
            let common = longest_common_subsequence(&words, &expected) as f64;
            precision = precision.max(common / words.len() as f64);
            recall = recall.max(common / expected.len() as f64);
        }
        if precision > 0.0 {
            let factor = BETA * BETA;
            self.sum += (1.0 + factor) * precision * recall / (recall + factor * precision);
        }
        self.predictions += 1;
        Ok(())
    }

    /// The mean; 0 for an empty corpus.
    pub fn score(&self) -> f64 {
        self.sum / self.predictions.max(1) as f64
    }
}

/// The length of the longest common subsequence, by 64 columns of the usual table at once: a bit of `columns` is 0 where
/// the length grows (Hyyrö 2004, "Bit-Parallel LCS-length Computation Revisited").
fn longest_common_subsequence(rows: &[&str], columns: &[&str]) -> usize {
    let mut positions: HashMap<&str, Vec<usize>> = HashMap::new();
    for (position, word) in columns.iter().enumerate() {
        positions.entry(word).or_default().push(position);
    }
    let mut state = vec![u64::MAX; columns.len().div_ceil(64)];
    let mut equal = vec![0_u64; state.len()];
    for word in rows {
        let Some(positions) = positions.get(word) else {
            continue;
        };
        for position in positions {
            equal[position / 64] |= 1 << (position % 64);
        }
        let mut carry = false;
        for (state, equal) in state.iter_mut().zip(&mut equal) {
            let (sum, first) = state.overflowing_add(*state & *equal);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first || second;
            *state = sum | (*state & !*equal);
            *equal = 0;
        }
    }
    // Bits after the last column do not count.
    (0..columns.len())
        .filter(|position| state[position / 64] >> (position % 64) & 1 == 0)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The usual table, row by row.
    fn by_table(a: &[&str], b: &[&str]) -> usize {
        let mut above = vec![0; b.len() + 1];
        for first in a {
            let mut row = vec![0];
            for (column, second) in b.iter().enumerate() {
                row.push(match first == second {
                    true => above[column] + 1,
                    false => above[column + 1].max(row[column]),
                });
            }
            above = row;
        }
        above[b.len()]
    }

    #[test]
    fn bits_give_what_the_usual_table_gives() {
        let words = ["a", "b", "c", "d", "e", "f", "g"];
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from((state >> 33) % below).unwrap()
        };
        for _ in 0..300 {
            let kinds = 1 + random(7) as u64;
            let mut text = |longest: u64| -> Vec<&str> {
                (0..random(longest)).map(|_| words[random(kinds)]).collect()
            };
            let (a, b) = (text(200), text(200));
            assert_eq!(longest_common_subsequence(&a, &b), by_table(&a, &b));
        }
    }
}
