//! Work ahead on threads, with results in order.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use rayon::ThreadPool;

use crate::Error;

/// Computes results number by number on several threads and gives them in order. At most a fixed number of results are
/// begun that were not taken.
pub(super) struct Ahead<T: Send + 'static> {
    shared: Arc<Shared<T>>,
    total: u64,
    /// Each thread is a pool of its own, so that what runs in parallel elsewhere runs on this thread alone, neither on the
    /// threads that train nor waiting for them.
    _threads: Vec<ThreadPool>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// A result was taken, or all is to end.
    room: Condvar,
    /// A result is there, or a thread has ended.
    ready: Condvar,
}

struct State<T> {
    begun: u64,
    taken: u64,
    /// The results from `taken` to `begun`.
    results: VecDeque<Option<Outcome<T>>>,
    ending: bool,
    running: usize,
}

type Outcome<T> = Result<T, Box<dyn Any + Send>>;

impl<T: Send + 'static> Ahead<T> {
    pub(super) fn new(
        total: u64,
        threads: usize,
        capacity: usize,
        compute: impl Fn(u64) -> T + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                begun: 0,
                taken: 0,
                results: VecDeque::with_capacity(capacity),
                ending: false,
                running: 0,
            }),
            room: Condvar::new(),
            ready: Condvar::new(),
        });
        let compute = Arc::new(compute);
        let mut ahead = Self {
            shared,
            total,
            _threads: Vec::with_capacity(threads),
        };
        for number in 0..threads {
            let name = move |_| format!("prepare-{number}");
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .thread_name(name)
                .build();
            let pool = pool.map_err(|error| Error::Prepare {
                source: error.into(),
            })?;
            let (shared, compute) = (Arc::clone(&ahead.shared), Arc::clone(&compute));
            ahead.shared.lock().running += 1;
            pool.spawn(move || shared.work(total, capacity as u64, &*compute));
            ahead._threads.push(pool);
        }
        Ok(ahead)
    }

    /// The next result, once it is there; `None` after the last.
    ///
    /// # Panics
    /// If the computation of this result panicked.
    pub(super) fn next(&mut self) -> Option<T> {
        let mut state = self.shared.lock();
        if state.taken == self.total {
            return None;
        }
        while !matches!(state.results.front(), Some(Some(_))) {
            state = self.shared.wait(&self.shared.ready, state);
        }
        let outcome = state.results.pop_front().flatten()?;
        state.taken += 1;
        drop(state);
        self.shared.room.notify_one();
        match outcome {
            Ok(result) => Some(result),
            Err(panic) => panic::resume_unwind(panic),
        }
    }
}

impl<T: Send + 'static> Drop for Ahead<T> {
    /// Waits for what is being computed.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ending = true;
        self.shared.room.notify_all();
        while state.running > 0 {
            state = self.shared.wait(&self.shared.ready, state);
        }
    }
}

impl<T> Shared<T> {
    fn work(&self, total: u64, capacity: u64, compute: &dyn Fn(u64) -> T) {
        let mut state = self.lock();
        loop {
            while !state.ending && state.begun < total && state.begun - state.taken >= capacity {
                state = self.wait(&self.room, state);
            }
            if state.ending || state.begun >= total {
                break;
            }
            let number = state.begun;
            state.begun += 1;
            state.results.push_back(None);
            drop(state);
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| compute(number)));
            state = self.lock();
            // Not taken yet, so it is there.
            let place = (number - state.taken) as usize;
            if let Some(result) = state.results.get_mut(place) {
                *result = Some(outcome);
            }
            self.ready.notify_all();
        }
        state.running -= 1;
        // The one thread that waits for room may be another than that which the last result woke.
        self.room.notify_all();
        self.ready.notify_all();
    }

    /// Nothing panics while it is locked.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn wait<'a>(
        &self,
        condition: &Condvar,
        state: MutexGuard<'a, State<T>>,
    ) -> MutexGuard<'a, State<T>> {
        condition
            .wait(state)
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn results_come_in_order_and_no_more_are_begun_than_there_is_room_for() {
        for threads in 1..5 {
            for capacity in [1, 2, 7] {
                let begun = Arc::new(AtomicU64::new(0));
                let counter = Arc::clone(&begun);
                let mut ahead = Ahead::new(100, threads, capacity, move |number| {
                    counter.fetch_add(1, Ordering::SeqCst);
                    // Later ones are ready sooner.
                    (0..(100 - number) * 50).fold(number, |sum, _| std::hint::black_box(sum))
                })
                .unwrap();
                for number in 0..100 {
                    assert_eq!(ahead.next(), Some(number));
                    assert!(begun.load(Ordering::SeqCst) <= number + 1 + capacity as u64);
                }
                assert_eq!(ahead.next(), None);
            }
        }
    }

    #[test]
    fn work_that_nobody_takes_ends_and_a_panic_reaches_who_takes_it() {
        drop(Ahead::new(u64::MAX, 3, 5, |number| number).unwrap());
        let mut ahead = Ahead::new(3, 2, 2, |number| assert_ne!(number, 1, "the second")).unwrap();
        assert_eq!(ahead.next(), Some(()));
        let panicked = panic::catch_unwind(AssertUnwindSafe(|| ahead.next()));
        assert!(panicked.is_err());
        assert_eq!(ahead.next(), Some(()));
    }
}
