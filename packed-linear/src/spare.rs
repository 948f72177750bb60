//! Memory for large results that is used again: what the system hands out anew costs a fault a page.

use std::sync::{Mutex, PoisonError};

/// What was given back, the latest last.
static SPARE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// Numbers below which an allocator has memory at hand.
const LEAST: usize = 1 << 16;

/// Pieces that are kept; a layer of an encoder has fewer at a time.
const MOST_PIECES: usize = 8;

/// Keeps memory for a later [`take`] of about the same size.
pub(crate) fn give(numbers: Vec<f32>) {
    if numbers.capacity() < LEAST {
        return;
    }
    let mut spare = spare();
    let oldest = (spare.len() >= MOST_PIECES).then(|| spare.remove(0));
    spare.push(numbers);
    drop(spare);
    drop(oldest); // not while others wait
}

/// An empty vector with room for so many numbers.
pub(crate) fn take(count: usize) -> Vec<f32> {
    if count >= LEAST {
        let mut spare = spare();
        let fits = |numbers: &Vec<f32>| (count..=2 * count).contains(&numbers.capacity());
        if let Some(place) = spare.iter().rposition(fits) {
            let mut numbers = spare.remove(place);
            numbers.clear();
            return numbers;
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
    fn memory_comes_back_for_what_it_is_large_enough_but_not_too_large() {
        let numbers = vec![1.0; 2 * LEAST];
        let place = numbers.as_ptr();
        give(numbers);
        let (small, large) = (take(LEAST - 1), take(2 * LEAST + 1));
        assert!(small.as_ptr() != place && large.as_ptr() != place);
        let again = take(LEAST + 1);
        assert!(again.as_ptr() == place && again.is_empty());
        assert_ne!(take(LEAST + 1).capacity(), again.capacity());
    }
}
