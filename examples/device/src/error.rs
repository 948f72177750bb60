use crate::{ALL_DEVICES, DEVICES};

/// More threads only wait for each other, and starting them takes minutes.
pub(crate) const MOST_THREADS: usize = 1024;

/// Why a device or a number of threads can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// There is no such device.
    #[error("unknown device {name:?}; compiled in: {}, there are: {}", DEVICES.join(", "), ALL_DEVICES.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The device is not in this build.
    #[error("this program was built without the device {feature:?}; compiled in: {}; build it with `--features {feature}`", DEVICES.join(", "))]
    NotCompiledIn {
        /// The name of the device, which is that of its feature.
        feature: &'static str,
    },
    /// The graphics API has no adapter, or the adapter can't be used.
    #[cfg(feature = "wgpu")]
    #[error(
        "can't start {name:?}: it needs the driver of a graphics card, or a software driver \
         (Debian and Ubuntu: mesa-vulkan-drivers)"
    )]
    Graphics {
        /// What was asked for.
        name: &'static str,
        /// What Burn says.
        source: burn::tensor::wgpu::WgpuInitError,
    },
    /// No card that CUDA knows.
    #[cfg(feature = "cuda")]
    #[error("can't start \"cuda\": it needs an NVIDIA card and NVIDIA's driver (libcuda)")]
    NoCuda,
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
