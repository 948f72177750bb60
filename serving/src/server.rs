use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fmt, io, thread};

use captioning::Captioner;

use crate::answer::answer;
use crate::job::Job;
use crate::metrics::Recorder;
use crate::queue::{NoPlace, Queue};
use crate::worker::Worker;
use crate::{Answer, Metrics, Refused, Request};

/// Captions for many at a time. Clones are handles of the same server; when the last one is dropped, what was accepted is
/// finished, and nothing more is accepted.
#[derive(Clone)]
pub struct Server {
    handle: Arc<Handle>,
}

/// Which requests run together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Schedule {
    /// All for which there is room share each step of the decoder. One joins between two steps and leaves when it is
    /// over.
    #[default]
    Batched,
    /// One after the other, in the order in which they came.
    OneAtATime,
}

/// How much a server takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The number of requests that may wait.
    pub queue: usize,
    /// The number of rows of a batch: a row for each beam of each language of each request. A request for more is
    /// worked on in several batches, each with at least one language.
    pub rows: usize,
    /// How long a request may take, waiting included.
    pub deadline: Duration,
}

impl Default for Limits {
    /// 64 requests, 64 rows, 2 minutes.
    fn default() -> Self {
        Self {
            queue: 64,
            rows: 64,
            deadline: Duration::from_secs(120),
        }
    }
}

/// What the handles share. The thread that captions does not, so that it ends when they are gone.
struct Handle {
    captioner: Arc<Captioner>,
    queue: Arc<Queue>,
    recorder: Arc<Recorder>,
    limits: Limits,
}

impl Server {
    /// Starts a server, with a thread that captions.
    ///
    /// # Errors
    /// [`io::Error`] if the thread can't be started.
    pub fn new(captioner: Arc<Captioner>, limits: Limits, schedule: Schedule) -> io::Result<Self> {
        Self::new_within(captioner, limits, schedule, |work| work())
    }

    /// As [`new`](Self::new), with a function that is called on the thread and does the work within something: on a
    /// pool of threads of its own, for example. If it returns without doing the work, the server accepts nothing.
    ///
    /// # Errors
    /// [`io::Error`] if the thread can't be started.
    pub fn new_within(
        captioner: Arc<Captioner>,
        limits: Limits,
        schedule: Schedule,
        within: impl FnOnce(Box<dyn FnOnce() + Send>) + Send + 'static,
    ) -> io::Result<Self> {
        let handle = Handle {
            captioner,
            queue: Arc::new(Queue::new(limits.queue)),
            recorder: Arc::new(Recorder::new()),
            limits,
        };
        let worker = Worker {
            captioner: Arc::clone(&handle.captioner),
            queue: Arc::clone(&handle.queue),
            recorder: Arc::clone(&handle.recorder),
            limits,
        };
        let work = move || within(Box::new(move || worker.run(schedule)));
        thread::Builder::new().name("captions".into()).spawn(work)?;
        Ok(Self {
            handle: Arc::new(handle),
        })
    }

    /// Accepts or refuses a request; never waits. Dropping the answer cancels the request.
    ///
    /// # Errors
    /// [`Refused`] if as many requests wait as may, or the server is stopping.
    pub fn submit(&self, request: Request) -> Result<Answer, Refused> {
        self.offer(request).map_err(|(refused, _)| {
            self.count(refused);
            refused
        })
    }

    /// As [`submit`](Self::submit), but a request that is not accepted comes back, and can be offered again. So it does
    /// not count as refused.
    ///
    /// # Errors
    /// [`Refused`] if as many requests wait as may, or the server is stopping; and the request.
    pub fn offer(&self, request: Request) -> Result<Answer, (Refused, Box<Request>)> {
        let Handle {
            queue,
            recorder,
            limits,
            ..
        } = &*self.handle;
        let (updates, answer) = answer();
        let accepted = Instant::now();
        // A time that no clock can express never comes.
        let latest = accepted.checked_add(limits.deadline);
        let deadline = match (request.deadline, latest) {
            (Some(asked), Some(latest)) => asked.min(latest),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => accepted + Duration::from_secs(365 * 24 * 3600),
        };
        let job = Job {
            request,
            updates: Arc::new(updates),
            accepted,
            deadline,
        };
        match queue.push(job, |job| recorder.end_over(job)) {
            Ok(()) => {
                recorder.accepted();
                Ok(answer)
            }
            Err((no_place, job)) => Err((self.refused(no_place), Box::new(job.request))),
        }
    }

    /// Says whether a request would be accepted now, so that nobody has to decode a picture in vain. If not, that counts
    /// as a request that was refused.
    ///
    /// # Errors
    /// [`Refused`], as [`submit`](Self::submit).
    pub fn check_room(&self) -> Result<(), Refused> {
        let Handle {
            queue, recorder, ..
        } = &*self.handle;
        queue
            .room(|job| recorder.end_over(job))
            .map_err(|no_place| {
                let refused = self.refused(no_place);
                self.count(refused);
                refused
            })
    }

    fn refused(&self, no_place: NoPlace) -> Refused {
        match no_place {
            NoPlace::Full(waiting) => Refused::QueueFull {
                retry_after: self.handle.recorder.retry_after(waiting),
            },
            NoPlace::Closed => Refused::Stopping,
        }
    }

    fn count(&self, refused: Refused) {
        if let Refused::QueueFull { .. } = refused {
            self.handle.recorder.refused();
        }
    }

    /// The captioner that all requests share.
    pub fn captioner(&self) -> &Captioner {
        &self.handle.captioner
    }

    /// How much the server takes on.
    pub fn limits(&self) -> Limits {
        self.handle.limits
    }

    /// What the server has done and does.
    pub fn metrics(&self) -> Metrics {
        self.handle.recorder.metrics(self.handle.queue.len())
    }

    /// Whether requests are accepted as long as there is room.
    pub fn is_accepting(&self) -> bool {
        !self.handle.queue.is_closed()
    }

    /// Accepts nothing more, through any handle. What was accepted is answered.
    pub fn stop(&self) {
        self.handle.queue.close();
    }

    /// Waits until everything that was accepted is answered, after [`stop`](Self::stop).
    pub fn wait(&self) {
        self.handle.queue.wait_until_left();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Server")
            .field("limits", &self.handle.limits)
            .finish_non_exhaustive()
    }
}
