use crate::{ALL_DEVICES, DEVICES};

/// No machine has use for more threads, and starting them would take minutes.
pub(crate) const MAX_THREADS: usize = 1024;

/// Why a device can't be used, or threads can't be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// There is no device of this name.
    #[error("unknown device {name:?}; compiled in: {}; all devices: {}", DEVICES.join(", "), ALL_DEVICES.join(", "))]
    Unknown {
        /// The name that was given.
        name: String,
    },
    /// This program was built without the device.
    #[error("this program was built without the device {feature:?}; compiled in: {}; build it with `--features {feature}`", DEVICES.join(", "))]
    NotCompiledIn {
        /// The name of the device, which is also the name of its feature.
        feature: &'static str,
    },
    /// The graphics API has no adapter, or its adapter can't be used.
    #[cfg(feature = "wgpu")]
    #[error(
        "can't start {name:?}: it needs the driver of a graphics card, or a software driver \
         (Debian and Ubuntu: mesa-vulkan-drivers)"
    )]
    Graphics {
        /// The name of the device.
        name: &'static str,
        /// Burn's error.
        source: burn::tensor::wgpu::WgpuInitError,
    },
    /// CUDA has no graphics card.
    #[cfg(feature = "cuda")]
    #[error("can't start \"cuda\": it needs an NVIDIA card and NVIDIA's driver (libcuda)")]
    NoCuda,
    /// CUDA has fewer graphics cards.
    #[cfg(feature = "cuda")]
    #[error("there is no \"cuda:{number}\"; CUDA finds {found} cards, counted from 0")]
    NoCard {
        /// The number that was asked for.
        number: usize,
        /// The number of cards.
        found: usize,
    },
    /// More threads were asked for than any machine has use for.
    #[error("can't start {threads} threads, expected at most {MAX_THREADS}")]
    TooManyThreads {
        /// The number of threads that was asked for.
        threads: usize,
    },
    /// The operating system could not start the threads.
    // Its message repeats its own source, so it is part of this message and not a source.
    #[error("can't start threads: {0}")]
    Threads(rayon::ThreadPoolBuildError),
}
