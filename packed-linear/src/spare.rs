//! A pool of vectors for large results. Memory that is fresh from the system costs a page fault per page.

use std::sync::{Mutex, PoisonError};

/// The vectors in the pool, the latest last.
static SPARE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// Shorter vectors are left to the allocator, which reuses their memory by itself.
const LEAST: usize = 1 << 16;

/// The most vectors in the pool; a layer of an encoder uses fewer at a time.
const MOST: usize = 8;

/// Puts a vector into the pool, for a later [`take`] of about the same size.
pub(crate) fn give(values: Vec<f32>) {
    if values.capacity() < LEAST {
        return;
    }
    let mut spare = spare();
    let oldest = (spare.len() >= MOST).then(|| spare.remove(0));
    spare.push(values);
    drop(spare);
    drop(oldest); // freed after the lock is released
}

/// An empty vector with room for `count` elements.
pub(crate) fn take(count: usize) -> Vec<f32> {
    if count >= LEAST {
        let mut spare = spare();
        let fits = |values: &Vec<f32>| (count..=2 * count).contains(&values.capacity());
        if let Some(index) = spare.iter().rposition(fits) {
            let mut values = spare.remove(index);
            values.clear();
            return values;
        }
    }
    Vec::with_capacity(count)
}

fn spare() -> std::sync::MutexGuard<'static, Vec<Vec<f32>>> {
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
}
