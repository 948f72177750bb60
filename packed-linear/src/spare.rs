//! A pool of vectors for large results. Memory that is fresh from the system costs a page fault per page.

use std::sync::{Mutex, MutexGuard, PoisonError};

static SPARE: Mutex<Pool> = Mutex::new(Pool::NEW);

/// Shorter vectors are left to the allocator, which reuses their memory by itself.
const LEAST: usize = 1 << 16;

/// The same in a program that trains: after a backward pass, the allocator gives all memory back to the system.
const LEAST_IN_TRAINING: usize = 1 << 12;

/// The most vectors in the pool; a layer of an encoder uses fewer at a time.
const MOST: usize = 8;

/// The most in a program that trains: a backward pass gives back what all layers of the forward pass took.
const MOST_IN_TRAINING: usize = 4096;

/// The most elements in the pool, 1 GiB.
const MOST_ELEMENTS: usize = 1 << 28;

/// A vector is freed if so many others were taken since it was given: more than a few updates of a model with
/// hundreds of layers take.
const MOST_PASSED_OVER: u64 = 1 << 14;

struct Pool {
    /// What the vectors are and how many had been taken when they were given, the latest last.
    vectors: Vec<(u64, Vec<f32>)>,
    is_training: bool,
    /// The capacities of all.
    elements: usize,
    /// How many vectors were taken.
    taken: u64,
}

impl Pool {
    const NEW: Self = Self {
        vectors: Vec::new(),
        is_training: false,
        elements: 0,
        taken: 0,
    };

    fn least(&self) -> usize {
        match self.is_training {
            true => LEAST_IN_TRAINING,
            false => LEAST,
        }
    }

    fn most(&self) -> usize {
        match self.is_training {
            true => MOST_IN_TRAINING,
            false => MOST,
        }
    }

    fn remove(&mut self, index: usize) -> Vec<f32> {
        let (_, values) = self.vectors.remove(index);
        self.elements -= values.capacity();
        values
    }

    /// Whether there are too many vectors, or the oldest is not used any more.
    fn is_full(&self) -> bool {
        let oldest = self.vectors.first().map_or(self.taken, |oldest| oldest.0);
        self.vectors.len() > self.most()
            || self.elements > MOST_ELEMENTS
            || self.taken - oldest > MOST_PASSED_OVER
    }
}

/// Puts a vector into the pool, for a later [`take`] of about the same size.
pub(crate) fn give(values: Vec<f32>) {
    let mut pool = pool();
    if values.capacity() < pool.least() {
        return;
    }
    pool.elements += values.capacity();
    let taken = pool.taken;
    pool.vectors.push((taken, values));
    let mut freed = Vec::new();
    while pool.is_full() {
        freed.push(pool.remove(0));
    }
    drop(pool);
    drop(freed); // after the lock is released
}

/// An empty vector with room for `count` elements.
pub(crate) fn take(count: usize) -> Vec<f32> {
    let mut pool = pool();
    if count >= pool.least() {
        pool.taken += 1;
        let fits = |values: &(u64, Vec<f32>)| (count..=2 * count).contains(&values.1.capacity());
        if let Some(index) = pool.vectors.iter().rposition(fits) {
            let mut values = pool.remove(index);
            values.clear();
            return values;
        }
    }
    drop(pool);
    Vec::with_capacity(count)
}

/// Allows as many vectors as training needs.
#[cfg(feature = "autodiff")]
pub(crate) fn keep_more() {
    pool().is_training = true;
}

fn pool() -> MutexGuard<'static, Pool> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_reused_if_it_is_large_enough_and_not_too_large() {
        let values = vec![1.0; 2 * LEAST];
        let address = values.as_ptr();
        give(values);
        let (small, large) = (take(LEAST - 1), take(2 * LEAST + 1));
        assert!(small.as_ptr() != address && large.as_ptr() != address);
        let again = take(LEAST + 1);
        assert!(again.as_ptr() == address && again.is_empty());
        assert_ne!(take(LEAST + 1).capacity(), again.capacity());
    }

    #[test]
    fn vectors_are_freed_if_there_are_too_many_or_they_are_not_used() {
        let mut pool = Pool::NEW;
        let give = |pool: &mut Pool| {
            pool.elements += 1;
            pool.vectors.push((pool.taken, vec![0.0]));
        };
        (0..MOST).for_each(|_| give(&mut pool));
        assert!(!pool.is_full());
        pool.taken += MOST_PASSED_OVER + 1;
        assert!(pool.is_full());
        while pool.is_full() {
            pool.remove(0);
        }
        assert_eq!((pool.vectors.len(), pool.elements), (0, 0));
        (0..=MOST).for_each(|_| give(&mut pool));
        assert!(pool.is_full());
    }
}
