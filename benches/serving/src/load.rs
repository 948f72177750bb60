use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, Response};
use crate::figures::{Figures, Outcome};
use crate::memory::Peak;
use crate::{Arguments, LoadError};

/// Clients need little more than their buffers.
const STACK: usize = 256 * 1024;

/// What all clients share.
struct Load<'a> {
    arguments: &'a Arguments,
    requests: &'a [Vec<u8>],
    begun: Instant,
    until: Instant,
    sent: AtomicUsize,
    outcomes: Mutex<Vec<Outcome>>,
}

/// Lets this many clients send requests until the time is over, and waits for the answers.
pub(crate) fn run(
    arguments: &Arguments,
    clients: usize,
    requests: &[Vec<u8>],
) -> Result<Figures, LoadError> {
    let address = &arguments.address;
    Client::connect(address).map_err(|source| LoadError::Connect {
        address: address.clone(),
        source,
    })?;
    let begun = Instant::now();
    let load = Load {
        arguments,
        requests,
        begun,
        until: begun + arguments.time(),
        sent: AtomicUsize::new(0),
        outcomes: Mutex::default(),
    };
    let peak = Peak::of(arguments.pid);
    thread::scope(|scope| {
        for _ in 0..clients {
            let client = thread::Builder::new().stack_size(STACK);
            client.spawn_scoped(scope, || load.client())?;
        }
        while Instant::now() < load.until {
            peak.look();
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    })
    .map_err(|source| LoadError::Clients { clients, source })?;
    let outcomes = load.outcomes.into_inner().unwrap_or_default();
    Ok(Figures::new(
        clients,
        outcomes,
        begun.elapsed(),
        peak.bytes(),
    ))
}

impl Load<'_> {
    fn client(&self) {
        let mut connection = None;
        while Instant::now() < self.until {
            let index = self.sent.fetch_add(1, Ordering::Relaxed);
            if !self.wait_for_turn(index) {
                return;
            }
            let begun = Instant::now();
            let mut pause = None;
            let outcome = match self.ask(&mut connection, index) {
                Ok(None) => Outcome::GivenUp,
                Ok(Some(response)) => match response.status {
                    200 => Outcome::Answered(begun.elapsed()),
                    503 => {
                        pause = response.retry_after;
                        Outcome::Refused
                    }
                    status => Outcome::Unexpected(status),
                },
                Err(_) => Outcome::Lost,
            };
            if !matches!(outcome, Outcome::Answered(_) | Outcome::Refused) {
                connection = None;
            }
            if let Ok(mut outcomes) = self.outcomes.lock() {
                outcomes.push(outcome);
            }
            if let Some(pause) =
                pause.filter(|_| !self.arguments.impatient && self.arguments.rate.is_none())
            {
                let left = self.until.saturating_duration_since(Instant::now());
                thread::sleep(pause.min(left));
            }
        }
    }

    /// Waits until a request is due, if there is a rate. Whether it is due before the time is over.
    fn wait_for_turn(&self, index: usize) -> bool {
        let Some(rate) = self.arguments.rate else {
            return true;
        };
        let due = Duration::try_from_secs_f64(index as f64 / rate).ok();
        let due = due.and_then(|due| self.begun.checked_add(due));
        let due = due.filter(|due| *due < self.until);
        thread::sleep(
            due.unwrap_or(self.until)
                .saturating_duration_since(Instant::now()),
        );
        due.is_some()
    }

    /// Sends a request. `None` if it is given up.
    fn ask(&self, connection: &mut Option<Client>, index: usize) -> io::Result<Option<Response>> {
        let request = &self.requests[index % self.requests.len()];
        let client = match connection {
            Some(client) => client,
            None => connection.insert(Client::connect(&self.arguments.address)?),
        };
        client.send(request)?;
        if self
            .arguments
            .hang_up
            .is_some_and(|every| every > 0 && index.is_multiple_of(every))
        {
            // Half way: after the request has begun, and before its answer.
            thread::sleep(Duration::from_millis(5 + (index % 40) as u64));
            return Ok(None);
        }
        client.receive().map(Some)
    }
}
