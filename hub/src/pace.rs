use std::time::{Duration, Instant};

/// The most windows in a row that are left out.
const LEFT_OUT: u32 = 5;

/// Nobody waits longer than this for one answer, whatever size a server announces.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The slowest transfer that is not given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The fewest bytes that have to arrive in each window.
    pub(crate) minimum: u64,
    pub(crate) window: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            minimum: 256 << 10,
            window: Duration::from_secs(60),
        }
    }
}

impl Pace {
    pub(crate) fn start(self) -> Watch {
        Watch {
            pace: self,
            since: Instant::now(),
            bytes: 0,
            left_out: Duration::ZERO,
        }
    }

    /// The longest time in which a transfer of `bytes` bytes that is fast enough can end; `None` if no transfer is too
    /// slow.
    pub(crate) fn longest(self, bytes: u64) -> Option<Duration> {
        let windows = bytes.checked_div(self.minimum)?.saturating_add(2);
        let windows = u32::try_from(windows).unwrap_or(u32::MAX);
        Some(self.window.saturating_mul(windows).min(LONGEST))
    }
}

/// Counts the bytes of a transfer, over all its requests.
pub(crate) struct Watch {
    pace: Pace,
    /// When the window began.
    since: Instant,
    /// The bytes that arrived in the window.
    bytes: u64,
    /// The time that does not count, since a window was fast enough.
    left_out: Duration,
}

impl Watch {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// Whether a window has ended in which too few bytes arrived.
    pub(crate) fn is_too_slow(&mut self) -> bool {
        if self.since.elapsed() < self.pace.window {
            return false;
        }
        let is_too_slow = self.bytes < self.pace.minimum;
        *self = self.pace.start();
        is_too_slow
    }

    /// Leaves out a time that other limits are for: waiting for an answer, or for a connection that then failed. A server
    /// that lets others wait and sends a byte now and then has only some of it.
    pub(crate) fn leave_out(&mut self, time: Duration) {
        let most = self.pace.window.saturating_mul(LEFT_OUT);
        let time = time.min(most.saturating_sub(self.left_out));
        self.since += time;
        self.left_out += time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_with_too_few_bytes_is_noticed_when_it_has_ended() {
        let pace = Pace {
            minimum: 10,
            window: Duration::from_secs(3600),
        };
        let mut watch = pace.start();
        assert!(!watch.is_too_slow());
        let ended = |bytes| Watch {
            pace,
            since: Instant::now() - pace.window,
            bytes,
            left_out: Duration::ZERO,
        };
        assert!(ended(9).is_too_slow());
        assert!(!ended(10).is_too_slow());
        let mut waiting = ended(0);
        waiting.leave_out(Duration::from_secs(60));
        assert!(!waiting.is_too_slow());
        for _ in 0..10 {
            waiting.leave_out(pace.window);
        }
        assert_eq!(waiting.left_out, pace.window * LEFT_OUT);
    }

    #[test]
    fn the_longest_time_grows_with_the_size_and_is_never_too_long_to_add() {
        let pace = Pace {
            minimum: 10,
            window: Duration::from_secs(60),
        };
        assert_eq!(pace.longest(0), Some(Duration::from_secs(120)));
        assert_eq!(pace.longest(30), Some(Duration::from_secs(300)));
        assert_eq!(pace.longest(u64::MAX), Some(LONGEST));
        let none = Pace { minimum: 0, ..pace };
        assert_eq!(none.longest(30), None);
    }
}
