//! Random numbers of a sample.

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::Prompt;

/// The random numbers of one sample.
///
/// Each sample has its own stream, which depends on nothing but the seed, the prompt and the index
/// of the sample. So a sample depends neither on other rows nor on the run.
#[derive(Debug)]
pub(crate) struct RowRandom(ChaCha8Rng);

impl RowRandom {
    /// The stream of the sample with this index. `seed` is used if the prompt has none.
    pub(crate) fn new(seed: u64, prompt: &Prompt, sample: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(prompt.seed.unwrap_or(seed));
        random.set_stream(stream(prompt, sample));
        Self(random)
    }

    /// A number of the uniform distribution, from 0 to below 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * 2.0_f64.powi(-53)
    }

    /// A number of the standard Gumbel distribution. Adding one to each log-probability and taking
    /// the largest sums samples without replacement (Kool et al., "Stochastic Beams and Where to
    /// Find Them", 2019).
    pub(crate) fn gumbel(&mut self) -> f32 {
        let uniform = 1.0 - self.uniform(); // never 0
        let exponential = -uniform.ln();
        -exponential.max(f64::MIN_POSITIVE).ln() as f32
    }
}

/// A hash (FNV-1a) of the prompt and the index of the sample.
fn stream(prompt: &Prompt, sample: usize) -> u64 {
    let first = prompt.forced_bos_token_id.map(u64::from);
    let tokens = prompt.tokens.iter().map(|token| u64::from(*token));
    tokens
        .chain([first.unwrap_or(u64::MAX), sample as u64])
        .fold(0xcbf2_9ce4_8422_2325, |hash, value| {
            (hash ^ value).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(seed: u64, prompt: &Prompt, sample: usize) -> Vec<f64> {
        let mut random = RowRandom::new(seed, prompt, sample);
        (0..20).map(|_| random.uniform()).collect()
    }

    #[test]
    fn seed_prompt_and_number_decide_what_is_drawn() {
        let prompt = Prompt::new(vec![2]);
        let same = numbers(7, &prompt, 0);
        assert_eq!(same, numbers(7, &prompt, 0));
        assert_eq!(same, numbers(1, &prompt.clone().with_seed(7), 0));
        for other in [
            numbers(8, &prompt, 0),
            numbers(7, &prompt, 1),
            numbers(7, &Prompt::new(vec![3]), 0),
            numbers(7, &prompt.with_forced_bos_token_id(5), 0),
        ] {
            assert_ne!(same, other);
        }
    }

    #[test]
    fn numbers_are_distributed_as_they_should_be() {
        let mut random = RowRandom::new(1, &Prompt::new(vec![2]), 0);
        let count = 100_000;
        let uniform: f64 = (0..count).map(|_| random.uniform()).sum::<f64>() / f64::from(count);
        assert!((uniform - 0.5).abs() < 0.005, "{uniform}");
        let gumbel = (0..count).map(|_| f64::from(random.gumbel())).sum::<f64>();
        let mean = gumbel / f64::from(count);
        assert!((mean - 0.577_215_66).abs() < 0.02, "{mean}"); // Euler's constant
    }
}
