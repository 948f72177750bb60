use std::sync::{Mutex, MutexGuard, PoisonError};

/// The common decision of the searches of a batch: when to stop.
///
/// Each search reports at every step. The last report completes the decision, which the others see at the
/// next step.
pub(super) struct Batch {
    searches: usize,
    reports: usize,
    all_are_closed: bool,
    all_can_improve: bool,
    pub(super) is_over: bool,
}

impl Batch {
    pub(super) fn new(searches: usize) -> Self {
        Self {
            searches,
            reports: 0,
            all_are_closed: true,
            all_can_improve: true,
            is_over: false,
        }
    }

    /// Takes the report of one search after a step.
    pub(super) fn report(&mut self, is_closed: bool, can_improve: bool) {
        self.all_are_closed &= is_closed;
        self.all_can_improve &= can_improve;
        self.reports += 1;
        self.decide();
    }

    /// Removes a search.
    pub(super) fn leave(&mut self) {
        self.searches -= 1;
        self.decide();
    }

    /// Completes the decision if all have reported.
    fn decide(&mut self) {
        if self.searches > 0 && self.reports == self.searches {
            self.is_over = self.all_are_closed || !self.all_can_improve;
            (self.reports, self.all_are_closed, self.all_can_improve) = (0, true, true);
        }
    }
}

/// A thread that panics does not leave the batch in an inconsistent state.
pub(super) fn lock(batch: &Mutex<Batch>) -> MutexGuard<'_, Batch> {
    batch.lock().unwrap_or_else(PoisonError::into_inner)
}
