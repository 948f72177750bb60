use crate::DeviceError;
use crate::error::MOST_THREADS;

/// Runs `work` on this many threads; 0 means one per core.
///
/// # Errors
/// [`DeviceError::TooMany`], or [`DeviceError::Threads`] if they can't be started.
pub fn with_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> T + Send,
) -> Result<T, DeviceError> {
    if threads > MOST_THREADS {
        return Err(DeviceError::TooMany { threads });
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    Ok(pool.install(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_on_the_threads_that_were_asked_for() {
        assert_eq!(with_threads(3, rayon::current_num_threads).unwrap(), 3);
        let error = with_threads(100_000, || ()).unwrap_err().to_string();
        assert!(error.contains("100000 threads"), "{error}");
    }
}
