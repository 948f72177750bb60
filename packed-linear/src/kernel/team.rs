use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a helper waits for more work before it gives its thread back: longer than what stands
/// between two layers of a model, or between two tokens.
const PATIENCE: Duration = Duration::from_millis(1);

/// Looks at the team between two looks at the clock.
const LOOKS: usize = 64;

thread_local! {
    static TEAM: Arc<Team> = Arc::default();
}

/// Does `work` for each number below `count`, on all threads of rayon's current pool.
///
/// A layer is often done in less time than it takes to wake a thread. So threads of the pool that have
/// come to help stay for a moment and wait for the next layer, as those of OpenMP do. Where all are
/// busy with other things, the caller does everything itself.
///
/// # Panics
/// If `work` does.
pub(crate) fn for_each(count: usize, work: &(dyn Fn(usize) + Sync)) {
    let helpers = rayon::current_num_threads() - 1;
    if helpers == 0 || count < 2 {
        return (0..count).for_each(work);
    }
    let team = TEAM.with(Arc::clone);
    // Work that makes more work would find its own team busy.
    if team.is_busy.swap(true, Ordering::Acquire) {
        return (0..count).for_each(work);
    }
    team.call(helpers, count, work);
    assert!(
        !team.has_failed.swap(false, Ordering::Relaxed),
        "a thread that helped has panicked"
    );
}

/// A thread that has work, and those that help it.
#[derive(Default)]
struct Team {
    /// Goes up by one when work begins, which makes it odd, and when it ends.
    epoch: AtomicUsize,
    work: UnsafeCell<Option<Work>>,
    /// The next number that nobody has taken.
    next: AtomicUsize,
    /// Helpers that may be looking at the work.
    inside: AtomicUsize,
    /// Helpers that are there or were called.
    helpers: AtomicUsize,
    is_busy: AtomicBool,
    has_failed: AtomicBool,
}

#[derive(Clone, Copy)]
struct Work {
    count: usize,
    function: *const (dyn Fn(usize) + Sync),
}

// SAFETY: the work is written only while no helper is inside, and what it points to can be called from
// any thread and outlives every look at it: see `call` and `help`.
unsafe impl Send for Team {}
// SAFETY: likewise.
unsafe impl Sync for Team {}

impl Team {
    fn call(self: &Arc<Self>, helpers: usize, count: usize, function: &(dyn Fn(usize) + Sync)) {
        // SAFETY: only the lifetime is forgotten; this function does not return before all helpers
        // are done with it.
        let function = unsafe {
            std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), *const (dyn Fn(usize) + Sync)>(
                function,
            )
        };
        let work = Work { count, function };
        // SAFETY: the epoch is even and nobody is inside, so nobody reads.
        unsafe { *self.work.get() = Some(work) };
        self.next.store(0, Ordering::Relaxed);
        self.epoch.fetch_add(1, Ordering::SeqCst);
        while self.helpers.load(Ordering::Relaxed) < helpers {
            self.helpers.fetch_add(1, Ordering::Relaxed);
            let team = Arc::clone(self);
            rayon::spawn(move || team.help());
        }
        let _closing = Closing(self);
        self.take(work);
    }

    /// Does what nobody else has begun.
    fn take(&self, work: Work) {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= work.count {
                return;
            }
            // SAFETY: the function is there as long as the epoch is that of the work or somebody is
            // inside.
            unsafe { (*work.function)(number) };
        }
    }

    /// Helps until there has been nothing to do for a while.
    fn help(&self) {
        let mut seen = 0;
        let mut since = Instant::now();
        loop {
            for _ in 0..LOOKS {
                let epoch = self.epoch.load(Ordering::Acquire);
                if epoch % 2 == 0 || epoch == seen {
                    std::hint::spin_loop();
                    continue;
                }
                seen = epoch;
                self.inside.fetch_add(1, Ordering::SeqCst);
                // Either the end of the work is seen here, or whoever ends it sees that we are inside.
                if self.epoch.load(Ordering::SeqCst) == epoch {
                    // SAFETY: the work is not changed while somebody is inside.
                    if let Some(work) = unsafe { *self.work.get() }
                        && catch_unwind(AssertUnwindSafe(|| self.take(work))).is_err()
                    {
                        self.has_failed.store(true, Ordering::Relaxed);
                    }
                }
                self.inside.fetch_sub(1, Ordering::Release);
                since = Instant::now();
            }
            if since.elapsed() > PATIENCE {
                self.helpers.fetch_sub(1, Ordering::Relaxed);
                return;
            }
            // Other programs may want the processor.
            std::thread::yield_now();
        }
    }
}

/// Ends the work, also if it panics: waits until no helper is inside.
struct Closing<'a>(&'a Team);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.epoch.fetch_add(1, Ordering::SeqCst);
        while self.0.inside.load(Ordering::SeqCst) > 0 {
            std::hint::spin_loop();
        }
        self.0.is_busy.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_worked_on_once_whoever_calls() {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(4)
            .build()
            .unwrap();
        let check = || {
            for count in [0, 1, 2, 3, 100, 1000] {
                let done: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
                for_each(count, &|number| {
                    done[number].fetch_add(1, Ordering::Relaxed);
                });
                assert!(done.iter().all(|done| done.load(Ordering::Relaxed) == 1));
            }
        };
        for _ in 0..500 {
            check();
            pool.install(check);
        }
        // Several callers at once, more than there are threads.
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| (0..200).for_each(|_| pool.install(check)));
            }
        });
    }

    #[test]
    fn work_may_make_work() {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap();
        let sum = AtomicUsize::new(0);
        pool.install(|| {
            for_each(10, &|outer| {
                for_each(10, &|inner| {
                    sum.fetch_add(outer * 10 + inner, Ordering::Relaxed);
                });
            });
        });
        assert_eq!(sum.into_inner(), 4950);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_works_on() {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap();
        pool.install(|| {
            for failing in 0..20 {
                let result = catch_unwind(|| {
                    for_each(20, &|number| assert_ne!(number, failing, "on purpose"));
                });
                assert!(result.is_err());
                for_each(20, &|_| ());
            }
        });
    }
}
