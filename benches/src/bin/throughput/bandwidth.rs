use std::hint::black_box;
use std::time::Instant;

use rayon::prelude::*;

/// Memory that is far larger than any cache.
const NUMBERS: usize = 1 << 26;

/// Numbers that a thread reads at a time.
const BLOCK: usize = 1 << 17;

/// Measures how fast all threads together read memory.
pub(crate) struct Bandwidth(Vec<u64>);

impl Bandwidth {
    pub(crate) fn new() -> Self {
        Self(vec![1; NUMBERS])
    }

    /// Billions of bytes a second.
    pub(crate) fn measure(&self) -> f64 {
        let start = Instant::now();
        let sum: u64 = self.0.par_chunks(BLOCK).map(sum).sum();
        black_box(sum);
        (self.0.len() * size_of::<u64>()) as f64 / start.elapsed().as_secs_f64() / 1e9
    }
}

/// In so many parts that additions don't wait for each other.
fn sum(numbers: &[u64]) -> u64 {
    let (parts, _) = numbers.as_chunks::<32>();
    let mut sums = [0u64; 32];
    for part in parts {
        for (sum, number) in sums.iter_mut().zip(part) {
            *sum = sum.wrapping_add(*number);
        }
    }
    sums.into_iter().fold(0, u64::wrapping_add)
}
