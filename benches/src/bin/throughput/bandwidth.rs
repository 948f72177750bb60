use std::hint::black_box;
use std::time::Instant;

use rayon::prelude::*;

/// Values to read: far more than any cache can hold.
const VALUES: usize = 1 << 26;

/// Values that a thread reads at a time.
const BLOCK: usize = 1 << 17;

/// Measures how fast all threads together read from memory.
pub(crate) struct Bandwidth(Vec<u64>);

impl Bandwidth {
    pub(crate) fn new() -> Self {
        Self(vec![1; VALUES])
    }

    /// The bandwidth in GB/s.
    pub(crate) fn measure(&self) -> f64 {
        let start = Instant::now();
        let sum: u64 = self.0.par_chunks(BLOCK).map(sum).sum();
        black_box(sum);
        (self.0.len() * size_of::<u64>()) as f64 / start.elapsed().as_secs_f64() / 1e9
    }
}

/// The sum of a block, in 32 independent parts, so that no addition waits for another.
fn sum(block: &[u64]) -> u64 {
    let (chunks, _) = block.as_chunks::<32>();
    let mut sums = [0u64; 32];
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum = sum.wrapping_add(*value);
        }
    }
    sums.into_iter().fold(0, u64::wrapping_add)
}
