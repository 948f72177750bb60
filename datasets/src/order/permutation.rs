//! A random order of any number of items that takes no memory.

/// A permutation of the numbers below a limit that a key selects, computed number by number.
///
/// A Feistel network permutes the smallest square of a power of two that holds all numbers; a number that it takes beyond
/// the limit is put through again until it is below ("cycle walking": Black and Rogaway, "Ciphers with Arbitrary Finite
/// Domains", 2002). The square is less than four times as large as the limit, so this takes fewer than four turns on average.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permutation {
    limit: u64,
    half_bits: u32,
    keys: [u64; ROUNDS],
}

/// Luby and Rackoff need four rounds for a permutation that can't be told from a random one; the functions here are no
/// ciphers, so there are two more.
const ROUNDS: usize = 6;

impl Permutation {
    pub(crate) fn new(limit: u64, key: u64) -> Self {
        let bits = u64::BITS - limit.saturating_sub(1).leading_zeros();
        Self {
            limit,
            half_bits: bits.div_ceil(2).max(1),
            keys: std::array::from_fn(|round| mixed(key ^ mixed(round as u64 + 1))),
        }
    }

    /// What stands at a position.
    pub(crate) fn at(&self, position: u64) -> u64 {
        assert!(
            position < self.limit,
            "position {position} of {}",
            self.limit
        );
        let mut number = position;
        loop {
            number = self.once(number);
            if number < self.limit {
                return number;
            }
        }
    }

    fn once(&self, number: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (number >> self.half_bits, number & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mixed(right ^ key) & mask));
        }
        left << self.half_bits | right
    }
}

/// A number in which each bit depends on all bits of another (the finaliser of SplitMix64).
pub(crate) fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_once_whatever_the_limit() {
        for limit in (1..70).chain([255, 256, 257, 1000, 65_537]) {
            for key in 0..5 {
                let permutation = Permutation::new(limit, key);
                let mut seen = vec![false; limit as usize];
                for position in 0..limit {
                    let number = permutation.at(position) as usize;
                    assert!(!std::mem::replace(&mut seen[number], true));
                }
            }
        }
    }

    #[test]
    fn each_order_of_four_comes_about_equally_often() {
        let mut counts = std::collections::BTreeMap::new();
        for key in 0..24_000 {
            let permutation = Permutation::new(4, key);
            *counts
                .entry([0, 1, 2, 3].map(|position| permutation.at(position)))
                .or_insert(0) += 1;
        }
        println!("{counts:?}");
        assert_eq!(counts.len(), 24);
        // 1,000 expected; five standard deviations are 155.
        assert!(
            counts.values().all(|count| (845..1155).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn neighbours_are_far_apart_in_a_large_order() {
        let permutation = Permutation::new(10_000_000, 7);
        let far = (0..1000).filter(|position| {
            permutation
                .at(*position)
                .abs_diff(permutation.at(position + 1))
                > 100_000
        });
        assert!(far.count() > 950);
    }
}
