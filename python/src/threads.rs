use std::process;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::PyErr;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::option;

/// No machine has use for more threads.
const MOST: usize = 1024;

/// The threads of a captioner.
///
/// They are those of one process: a process that Python forks has none of its parent's threads, and starts its own.
#[derive(Debug)]
pub(crate) struct Threads {
    count: usize,
    /// The process that started them, and the threads.
    pool: Mutex<Option<(u32, Arc<ThreadPool>)>>,
}

impl Threads {
    /// So many threads; 0 means one for each core.
    pub(crate) fn new(count: usize) -> Result<Self, PyErr> {
        if count > MOST {
            let message = format!("can't start {count} threads, expected at most {MOST}");
            return Err(crate::error::OptionError::new_err(message));
        }
        Ok(Self {
            count,
            pool: Mutex::new(None),
        })
    }

    /// Runs work on the threads.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, PyErr> {
        let pool = self.pool()?;
        Ok(pool.install(work))
    }

    fn pool(&self) -> Result<Arc<ThreadPool>, PyErr> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let process = process::id();
        if let Some((owner, pool)) = &*pool
            && *owner == process
        {
            return Ok(Arc::clone(pool));
        }
        let started = ThreadPoolBuilder::new().num_threads(self.count).build();
        let started = Arc::new(started.map_err(|error| option(&error))?);
        // Dropping a pool waits for its threads, and those of a parent process never end here.
        std::mem::forget(pool.replace((process, Arc::clone(&started))));
        Ok(started)
    }
}
