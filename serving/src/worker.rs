use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use captioning::Captioner;

use crate::job::{Job, Unfinished};
use crate::metrics::Recorder;
use crate::queue::Queue;
use crate::{Error, Limits, Schedule, one_at_a_time};

/// What the thread that captions works with.
pub(crate) struct Worker {
    pub(crate) captioner: Arc<Captioner>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) limits: Limits,
}

impl Worker {
    /// Answers requests until the queue is closed and empty.
    pub(crate) fn run(self, schedule: Schedule) {
        match schedule {
            Schedule::OneAtATime => one_at_a_time::run(&self),
        }
    }

    /// Does all work on a request. A panic ends the request, and nothing else.
    pub(crate) fn serve(
        &self,
        mut job: Job,
        work: impl FnOnce(&mut Job) -> Result<(), Unfinished>,
    ) {
        if let Err(unfinished) = job.check() {
            return self.recorder.end_unbegun(job, unfinished);
        }
        self.recorder.begin(&job);
        let begun = Instant::now();
        // What the work has changed when it panics is dropped with the request.
        let result = catch_unwind(AssertUnwindSafe(|| work(&mut job))).unwrap_or_else(|panic| {
            Err(Unfinished::Failed(Error::Panicked {
                message: message(panic.as_ref()),
            }))
        });
        self.recorder.rows(0);
        self.recorder.end(&job, &result, Some(begun));
        job.end(result);
    }
}

impl Drop for Worker {
    /// Nobody waits for an answer that can't come.
    fn drop(&mut self) {
        for job in self.queue.leave() {
            self.recorder
                .end_unbegun(job, Unfinished::Failed(Error::Stopped));
        }
    }
}

impl Recorder {
    /// Ends a request that nobody waits for any more, or that is too late.
    pub(crate) fn end_over(&self, job: Job) {
        if let Err(unfinished) = job.check() {
            self.end_unbegun(job, unfinished);
        }
    }

    /// Ends a request that no work was done on.
    pub(crate) fn end_unbegun(&self, job: Job, unfinished: Unfinished) {
        let result = Err(unfinished);
        self.end(&job, &result, None);
        job.end(result);
    }
}

/// The message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into())
}
