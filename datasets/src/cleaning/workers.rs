use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::known::Known;
use super::record::Record;
use super::{CheckError, PictureCheck};
use crate::{Example, ImageSource};

/// Threads that look at pictures.
pub(super) struct Workers {
    look: Look,
    jobs: Option<Sender<Job>>,
    pub(super) answers: Receiver<(u64, Answer)>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// A picture to look at.
pub(super) struct Job {
    pub(super) number: u64,
    pub(super) example: Arc<Example>,
}

/// What was found, and whether an earlier run had found it.
pub(super) type Answer = Result<(Record, bool), CheckError>;

/// Looks at pictures that are not known.
#[derive(Clone)]
struct Look {
    check: PictureCheck,
    known: Option<Arc<Known>>,
}

impl Workers {
    pub(super) fn new(
        check: &PictureCheck,
        known: Option<Arc<Known>>,
        count: usize,
    ) -> io::Result<Self> {
        let look = Look {
            check: check.clone(),
            known,
        };
        let (jobs, queue) = channel::<Job>();
        let (sender, answers) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let stop = Arc::new(AtomicBool::new(false));
        let mut workers = Self {
            look: look.clone(),
            jobs: Some(jobs),
            answers,
            stop: Arc::clone(&stop),
            threads: Vec::with_capacity(count),
        };
        for number in 0..count {
            let (look, queue, sender, stop) = (
                look.clone(),
                Arc::clone(&queue),
                sender.clone(),
                Arc::clone(&stop),
            );
            let work = move || {
                while !stop.load(Ordering::Relaxed) {
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(Job { number, example }) = job else {
                        return;
                    };
                    let answer = look.at(&example.image);
                    drop(example);
                    if sender.send((number, answer)).is_err() {
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

    /// Looks at a picture here and now.
    pub(super) fn look(&self, image: &ImageSource) -> Answer {
        self.look.at(image)
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

impl Look {
    fn at(&self, image: &ImageSource) -> Answer {
        // Before the content, so that a file that changes meanwhile is looked at again the next time.
        let stamp = PictureCheck::stamp(image);
        let known = self.known.as_ref();
        let earlier = known.and_then(|known| known.find(&stamp, &self.check));
        if let Some(record) = earlier.as_ref().filter(|record| record.is_lasting()) {
            return Ok((record.clone(), true));
        }
        let facts = self.check.check(image)?;
        let record = Record { stamp, facts };
        let is_known = earlier.is_some_and(|earlier| earlier == record);
        Ok((record, is_known))
    }
}
