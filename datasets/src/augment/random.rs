//! Random numbers of one image: the same whatever other images are prepared, and on which thread.

use crate::order::mixed;

/// SplitMix64 from a key.
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of an example in an epoch, for one purpose.
    pub(crate) fn new(seed: u64, epoch: u64, example: u64, purpose: u64) -> Self {
        let key = mixed(seed ^ mixed(epoch ^ mixed(example ^ mixed(purpose))));
        Self(key)
    }

    fn next(&mut self) -> u64 {
        let number = mixed(self.0);
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        number
    }

    /// A number from 0 to below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number between two others.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// An integer from 0 to below a limit; the error of a limit below 2^32 is less than 2^-32.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }
}
