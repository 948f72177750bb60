use crate::DeviceError;
use crate::error::MAX_THREADS;

/// Runs `work` on a pool of this many threads; 0 means one per core.
///
/// # Errors
/// [`DeviceError::TooManyThreads`] for more threads than any machine has use for, [`DeviceError::Threads`] if
/// they can't be started.
pub fn with_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> T + Send,
) -> Result<T, DeviceError> {
    if threads > MAX_THREADS {
        return Err(DeviceError::TooManyThreads { threads });
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(DeviceError::Threads)?;
    Ok(pool.install(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_on_as_many_threads_as_asked_for() {
        assert_eq!(with_threads(3, rayon::current_num_threads).unwrap(), 3);
        let error = with_threads(100_000, || ()).unwrap_err().to_string();
        assert!(error.contains("100000 threads"), "{error}");
    }
}
