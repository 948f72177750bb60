//! Devices and threads by name, for the programs of this workspace.
//!
//! Libraries name no backend; programs do, here. A backend that is added is a feature of this
//! package, a name in [`DEVICES`] and an arm of [`device`].

use burn::tensor::Device;

/// The devices that are compiled in, by the names that `--device` takes.
pub const DEVICES: &[&str] = &["flex"];

/// More of them only wait for each other, and starting them takes minutes.
const MOST_THREADS: usize = 1024;

/// Why a device or a number of threads can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No such device is compiled in.
    #[error("unknown device {name:?}; compiled in: {}", DEVICES.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// More threads than any machine has use for.
    #[error("{threads} threads are asked for, expected up to {MOST_THREADS}")]
    TooMany {
        /// What was asked for.
        threads: usize,
    },
    /// The threads could not be started.
    #[error("can't start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// The device of a name.
///
/// # Errors
/// [`DeviceError::Unknown`] if it is not compiled in.
pub fn device(name: &str) -> Result<Device, DeviceError> {
    match name {
        "flex" => Ok(Device::flex()),
        _ => Err(DeviceError::Unknown { name: name.into() }),
    }
}

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
    fn an_unknown_device_is_an_error_that_lists_the_known_ones() {
        for known in DEVICES {
            assert!(device(known).is_ok());
        }
        let message = device("abacus").unwrap_err().to_string();
        assert!(message.contains("\"abacus\"") && message.contains("flex"));
    }

    #[test]
    fn work_runs_on_the_threads_that_were_asked_for() {
        assert_eq!(with_threads(3, rayon::current_num_threads).unwrap(), 3);
        let error = with_threads(100_000, || ()).unwrap_err().to_string();
        assert!(error.contains("100000 threads"), "{error}");
    }
}
