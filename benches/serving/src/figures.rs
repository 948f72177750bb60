use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// What became of a request.
pub(crate) enum Outcome {
    /// The client has the answer, after this time.
    Answered(Duration),
    /// 503: the queue was full.
    Refused,
    /// The client hung up.
    GivenUp,
    /// The connection ended without an answer.
    Lost,
    /// Another status.
    Unexpected(u16),
}

/// What a number of clients saw.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    clients: usize,
    seconds: f64,
    answered: usize,
    answers_per_second: f64,
    /// Milliseconds, of answered requests.
    p50: Option<f64>,
    p99: Option<f64>,
    refused: usize,
    given_up: usize,
    pub(crate) lost: usize,
    unexpected: Vec<u16>,
    /// The most memory of the server, in MB.
    memory: Option<f64>,
}

impl Figures {
    pub(crate) const HEADER: &str =
        "clients  answers/s    p50 ms    p99 ms  answered  refused  given up  lost  memory MB";

    pub(crate) fn new(
        clients: usize,
        outcomes: Vec<Outcome>,
        time: Duration,
        bytes: Option<u64>,
    ) -> Self {
        let mut times = Vec::new();
        let (mut refused, mut given_up, mut lost, mut unexpected) = (0, 0, 0, Vec::new());
        for outcome in outcomes {
            match outcome {
                Outcome::Answered(time) => times.push(time.as_secs_f64() * 1e3),
                Outcome::Refused => refused += 1,
                Outcome::GivenUp => given_up += 1,
                Outcome::Lost => lost += 1,
                Outcome::Unexpected(status) => unexpected.push(status),
            }
        }
        times.sort_by(f64::total_cmp);
        // The time that this share of the requests did not exceed.
        let percentile = |share: f64| {
            let index = (times.len() as f64 * share).ceil() as usize;
            times.get(index.saturating_sub(1)).copied()
        };
        unexpected.sort_unstable();
        unexpected.dedup();
        Self {
            clients,
            seconds: time.as_secs_f64(),
            answered: times.len(),
            answers_per_second: times.len() as f64 / time.as_secs_f64(),
            p50: percentile(0.5),
            p99: percentile(0.99),
            refused,
            given_up,
            lost,
            unexpected,
            memory: bytes.map(|bytes| bytes as f64 / 1e6),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.1}"));
        write!(
            f,
            "{:7}  {:9.2}  {:>8}  {:>8}  {:8}  {:7}  {:8}  {:4}  {:>9}",
            self.clients,
            self.answers_per_second,
            number(self.p50),
            number(self.p99),
            self.answered,
            self.refused,
            self.given_up,
            self.lost,
            number(self.memory),
        )?;
        match self.unexpected.as_slice() {
            [] => Ok(()),
            statuses => write!(f, "  unexpected: {statuses:?}"),
        }
    }
}
