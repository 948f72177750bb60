use std::thread;
use std::time::Duration;

use super::HubError;

/// How often and how patiently a request is repeated.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetryPolicy {
    /// Repetitions, in a row, that bring nothing new.
    pub(super) limit: u32,
    /// The pause before the first one; each further pause is twice as long.
    pub(super) first_pause: Duration,
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
    pub(super) fn start(self) -> Retries {
        Retries {
            left: self.limit,
            pause: self.first_pause,
        }
    }

    /// Repeats an action until it succeeds, fails too often or in a way that is not `worth_repeating`.
    pub(super) fn run<T>(
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
pub(super) struct Retries {
    left: u32,
    pause: Duration,
}

impl Retries {
    /// Waits before the next attempt, or gives the error back if there is to be none.
    pub(super) fn pause_after(&mut self, error: HubError) -> Result<(), HubError> {
        if self.left == 0 || !error.is_transient() {
            return Err(error);
        }
        thread::sleep(self.pause);
        self.left -= 1;
        self.pause *= 2;
        Ok(())
    }
}
