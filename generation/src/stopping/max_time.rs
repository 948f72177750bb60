use std::time::{Duration, Instant};

use crate::StoppingCriterion;

/// Complete when a given time has passed: the texts end with the step under way.
///
/// Hugging Face: `MaxTimeCriteria`.
#[derive(Clone, Debug)]
pub(super) struct MaxTime {
    start: Instant,
    limit: Duration,
}

impl MaxTime {
    /// A time limit that starts now.
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            start: Instant::now(),
            limit,
        }
    }
}

impl StoppingCriterion for MaxTime {
    fn is_complete(&self, _tokens: &[u32]) -> bool {
        false
    }

    fn is_over(&self) -> bool {
        self.limit.is_zero() || self.start.elapsed() > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_over_when_the_time_has_passed() {
        assert!(!MaxTime::new(Duration::from_secs(3600)).is_over());
        let criterion = MaxTime::new(Duration::ZERO);
        std::thread::sleep(Duration::from_millis(1));
        assert!(criterion.is_over());
    }
}
