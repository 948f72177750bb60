use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::record::Record;
use super::{Facts, PictureCheck};
use crate::Example;

/// Threads that look at pictures.
pub(super) struct Workers {
    pub(super) check: PictureCheck,
    jobs: Option<Sender<Job>>,
    pub(super) answers: Receiver<(u64, Record)>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// A picture to look at.
pub(super) struct Job {
    pub(super) number: u64,
    pub(super) example: Arc<Example>,
    /// What an earlier run has found.
    pub(super) known: Option<Record>,
}

impl Workers {
    pub(super) fn new(check: &PictureCheck, count: usize) -> io::Result<Self> {
        let (jobs, queue) = channel::<Job>();
        let (sender, answers) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let stop = Arc::new(AtomicBool::new(false));
        let mut workers = Self {
            check: check.clone(),
            jobs: Some(jobs),
            answers,
            stop: Arc::clone(&stop),
            threads: Vec::with_capacity(count),
        };
        for number in 0..count {
            let (check, queue, sender, stop) = (
                check.clone(),
                Arc::clone(&queue),
                sender.clone(),
                Arc::clone(&stop),
            );
            let work = move || {
                while !stop.load(Ordering::Relaxed) {
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(Job {
                        number,
                        example,
                        known,
                    }) = job
                    else {
                        return;
                    };
                    let record = look(&check, &example, known.as_ref());
                    drop(example);
                    if sender.send((number, record)).is_err() {
                        return;
                    }
                }
            };
            let thread = Builder::new()
                .name(format!("pictures-{number}"))
                .spawn(work)?;
            workers.threads.push(thread);
        }
        Ok(workers)
    }

    pub(super) fn start(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // It fails only if no thread is left; whoever waits for the answer notices.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Workers {
    /// Waits for the pictures that are being looked at, and leaves the others.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Looks at a picture unless it is known and unchanged.
pub(super) fn look(check: &PictureCheck, example: &Example, known: Option<&Record>) -> Record {
    // Before the content, so that a file that changes meanwhile is looked at again the next time.
    let stamp = PictureCheck::stamp(&example.image);
    let is_lasting = |record: &&Record| match &record.facts {
        Facts::Sound(_) => true,
        Facts::Unusable(unusable) => !unusable.problem.may_pass(),
    };
    match known
        .filter(|record| record.stamp == stamp)
        .filter(is_lasting)
    {
        Some(record) => record.clone(),
        None => Record {
            stamp,
            facts: check.check(&example.image),
        },
    }
}
