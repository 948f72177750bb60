use std::thread;
use std::time::Duration;

use crate::HubError;

/// How often a request is repeated, and with which pauses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy {
    /// The most repetitions in a row without any progress.
    pub(crate) limit: u32,
    /// The pause before the first repetition. Each further pause is twice as long.
    pub(crate) first_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            limit: 5,
            first_pause: Duration::from_millis(500),
        }
    }
}

impl RetryPolicy {
    pub(crate) fn start(self) -> Retries {
        Retries {
            left: self.limit,
            pause: self.first_pause,
        }
    }

    /// Repeats an action until it succeeds, has failed too often, or fails with an error that is not
    /// `worth_repeating`.
    pub(crate) fn run<T>(
        self,
        worth_repeating: impl Fn(&HubError) -> bool,
        mut action: impl FnMut() -> Result<T, HubError>,
    ) -> Result<T, HubError> {
        let mut retries = self.start();
        loop {
            match action() {
                Err(error) if worth_repeating(&error) => retries.pause_after(error)?,
                result => return result,
            }
        }
    }
}

/// The repetitions that are left.
pub(crate) struct Retries {
    left: u32,
    pause: Duration,
}

impl Retries {
    /// Waits before the next attempt, or returns the error if there must be no further attempt.
    pub(crate) fn pause_after(&mut self, error: HubError) -> Result<(), HubError> {
        if self.left == 0 || !error.is_transient() {
            return Err(error);
        }
        thread::sleep(self.pause);
        self.left -= 1;
        self.pause = self.pause.saturating_mul(2);
        Ok(())
    }
}
