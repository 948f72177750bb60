use std::sync::Arc;
use std::time::Instant;

use crate::answer::{Update, Updates};
use crate::{Error, Request};

/// A request that was accepted.
pub(crate) struct Job {
    pub(crate) request: Request,
    /// Shared with the observer of a search.
    pub(crate) updates: Arc<Updates>,
    pub(crate) accepted: Instant,
    pub(crate) deadline: Instant,
}

/// Why a request is not finished.
pub(crate) enum Unfinished {
    /// Nobody reads its answer.
    Gone,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Unfinished {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Job {
    /// Says whether to go on: whether somebody reads the answer, and the deadline is not over.
    pub(crate) fn check(&self) -> Result<(), Unfinished> {
        if self.updates.is_gone() {
            return Err(Unfinished::Gone);
        }
        if Instant::now() >= self.deadline {
            return Err(Unfinished::Failed(Error::Deadline));
        }
        Ok(())
    }

    /// Sends the last part of the answer.
    pub(crate) fn end(self, result: Result<(), Unfinished>) {
        match result {
            Ok(()) => self.updates.send(Update::Done),
            Err(Unfinished::Failed(error)) => self.updates.send(Update::Failed(error)),
            Err(Unfinished::Gone) => {}
        }
    }
}
