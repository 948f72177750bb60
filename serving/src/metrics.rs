use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Error;
use crate::job::{Job, Unfinished};

/// Bounds of durations, in seconds.
const SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
];

/// Bounds of numbers of rows.
const ROWS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// What a server has done since it started, and what it does now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// Requests that wait.
    pub queued: usize,
    /// Requests that are worked on.
    pub running: usize,
    /// Rows of the batch that is worked on: a row for each beam of each language of each request.
    pub rows: usize,
    /// Requests that were accepted.
    pub accepted: u64,
    /// Requests that were not accepted because the queue was full.
    pub refused: u64,
    /// Requests that were answered completely.
    pub finished: u64,
    /// Requests whose answer nobody waited for any more.
    pub cancelled: u64,
    /// Requests that were not finished at their deadline.
    pub late: u64,
    /// Requests that failed for another reason, panics included.
    pub failed: u64,
    /// Requests at which the work panicked.
    pub panicked: u64,
    /// Tokens of the captions that were written.
    pub tokens: u64,
    /// Steps of the decoder.
    pub steps: u64,
    /// Rows of each step.
    pub step_rows: Histogram,
    /// Seconds that requests waited before the work on them began.
    pub waiting: Histogram,
    /// Seconds from the acceptance of a request to its end.
    pub total: Histogram,
}

/// How often values were in which range.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// The upper bounds of the ranges, each included in its range. There is one more range, without a bound.
    pub bounds: &'static [f64],
    /// The number of values in each range, one more than there are bounds.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub sum: f64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
        }
    }

    /// The number of all values.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn add(&mut self, value: f64) {
        let range = self.bounds.partition_point(|bound| *bound < value);
        self.counts[range] += 1;
        self.sum += value;
    }
}

/// Counts what a server does.
pub(crate) struct Recorder {
    state: Mutex<State>,
}

struct State {
    metrics: Metrics,
    /// Seconds from the end of a request to that of the next, while there is work: a mean in which the last ones count
    /// most.
    between_ends: Option<f64>,
    last_end: Instant,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        let metrics = Metrics {
            queued: 0,
            running: 0,
            rows: 0,
            accepted: 0,
            refused: 0,
            finished: 0,
            cancelled: 0,
            late: 0,
            failed: 0,
            panicked: 0,
            tokens: 0,
            steps: 0,
            step_rows: Histogram::new(ROWS),
            waiting: Histogram::new(SECONDS),
            total: Histogram::new(SECONDS),
        };
        Self {
            state: Mutex::new(State {
                metrics,
                between_ends: None,
                last_end: Instant::now(),
            }),
        }
    }

    pub(crate) fn metrics(&self, queued: usize) -> Metrics {
        Metrics {
            queued,
            ..self.lock().metrics.clone()
        }
    }

    pub(crate) fn accepted(&self) {
        self.lock().metrics.accepted += 1;
    }

    pub(crate) fn refused(&self) {
        self.lock().metrics.refused += 1;
    }

    /// When there will probably be a place, if this many requests wait.
    pub(crate) fn retry_after(&self, waiting: usize) -> Duration {
        // Half of those that wait now will be done then, so that not everybody comes back for one place.
        let seconds = self.lock().between_ends.unwrap_or(1.0) * waiting as f64 / 2.0;
        Duration::from_secs(seconds.ceil().clamp(1.0, 60.0) as u64)
    }

    /// Counts a request that the work begins on.
    pub(crate) fn begin(&self, job: &Job) {
        let mut state = self.lock();
        state.metrics.running += 1;
        state
            .metrics
            .waiting
            .add(job.accepted.elapsed().as_secs_f64());
    }

    /// Says how many rows the next steps have; none when there are none.
    pub(crate) fn rows(&self, rows: usize) {
        self.lock().metrics.rows = rows;
    }

    /// Counts a step.
    pub(crate) fn step(&self) {
        let metrics = &mut self.lock().metrics;
        metrics.steps += 1;
        metrics.step_rows.add(metrics.rows as f64);
    }

    pub(crate) fn tokens(&self, tokens: usize) {
        self.lock().metrics.tokens += tokens as u64;
    }

    /// Counts a request that is over. `begun` is when the work on it began.
    pub(crate) fn end(&self, job: &Job, result: &Result<(), Unfinished>, begun: Option<Instant>) {
        let mut state = self.lock();
        if let Some(begun) = begun {
            state.metrics.running -= 1;
            // What was idle before the work began does not count.
            let since = begun.elapsed().min(state.last_end.elapsed());
            let since = since.as_secs_f64();
            let mean = state.between_ends;
            state.between_ends = Some(mean.map_or(since, |mean| 0.9 * mean + 0.1 * since));
            state.last_end = Instant::now();
        }
        let metrics = &mut state.metrics;
        metrics.total.add(job.accepted.elapsed().as_secs_f64());
        match result {
            Ok(()) => metrics.finished += 1,
            Err(Unfinished::Gone) => metrics.cancelled += 1,
            Err(Unfinished::Failed(Error::Deadline)) => metrics.late += 1,
            Err(Unfinished::Failed(error)) => {
                metrics.failed += 1;
                metrics.panicked += u64::from(matches!(error, Error::Panicked { .. }));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_range_below_it() {
        let mut histogram = Histogram::new(&[1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 3.0] {
            histogram.add(value);
        }
        assert_eq!(histogram.counts, [2, 1, 1]);
        assert_eq!((histogram.count(), histogram.sum), (4, 6.0));
    }

    #[test]
    fn whoever_is_refused_is_told_to_come_back_within_a_minute() {
        let recorder = Recorder::new();
        assert_eq!(recorder.retry_after(0), Duration::from_secs(1));
        assert_eq!(recorder.retry_after(8), Duration::from_secs(4));
        assert_eq!(recorder.retry_after(10_000), Duration::from_secs(60));
    }
}
