//! Devices and threads by name, for the programs of this workspace.
//!
//! Libraries name no backend; programs do, here. Which backends are compiled in is a matter of this
//! package's features, which the programs hand on: `cargo run -p caption --features wgpu`. A backend
//! that is added is a feature, a name in [`DEVICES`] and in [`ALL_DEVICES`], and an arm of
//! [`device`].

mod error;
#[cfg(feature = "wgpu")]
mod graphics;
mod threads;

use burn::tensor::Device;

pub use error::DeviceError;
pub use threads::with_threads;

/// The devices that are compiled in, by the names that `--device` takes.
pub const DEVICES: &[&str] = &[
    "flex",
    #[cfg(feature = "ndarray")]
    "ndarray",
    #[cfg(feature = "wgpu")]
    "wgpu",
    #[cfg(feature = "vulkan")]
    "vulkan",
    #[cfg(feature = "cuda")]
    "cuda",
];

/// The devices that there are if all features are on. The name of a device is that of its feature.
pub const ALL_DEVICES: [&str; 5] = ["flex", "ndarray", "wgpu", "vulkan", "cuda"];

/// The device of a name. Asking twice gives the same device.
///
/// # Errors
/// [`DeviceError::Unknown`] if there is none of this name, [`DeviceError::NotCompiledIn`] if this
/// build has it not, and an error of its own where a machine has not what the device needs.
pub fn device(name: &str) -> Result<Device, DeviceError> {
    match name {
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        "ndarray" => Ok(ndarray()),
        #[cfg(feature = "wgpu")]
        "wgpu" => graphics::start("wgpu", burn::tensor::wgpu::WgpuBackend::Auto),
        #[cfg(feature = "vulkan")]
        "vulkan" => graphics::start("vulkan", burn::tensor::wgpu::WgpuBackend::Vulkan),
        #[cfg(feature = "cuda")]
        "cuda" => cuda(),
        _ => match ALL_DEVICES.iter().find(|known| **known == name) {
            Some(feature) => Err(DeviceError::NotCompiledIn { feature }),
            None => Err(DeviceError::Unknown { name: name.into() }),
        },
    }
}

#[cfg(feature = "ndarray")]
#[expect(deprecated, reason = "Burn will remove it; until then it is a choice")]
fn ndarray() -> Device {
    Device::ndarray()
}

/// The first card. Burn panics if it starts CUDA where there is none, so it is asked for first.
#[cfg(feature = "cuda")]
fn cuda() -> Result<Device, DeviceError> {
    let cards = Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec();
    cards.into_iter().next().ok_or(DeviceError::NoCuda)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_device_is_an_error_that_lists_the_known_ones() {
        let message = device("abacus").unwrap_err().to_string();
        assert!(message.contains("\"abacus\"") && message.contains("flex"));
    }

    #[test]
    fn a_device_that_is_not_compiled_in_is_an_error_that_names_its_feature() {
        for name in ALL_DEVICES {
            if DEVICES.contains(&name) {
                continue;
            }
            let message = device(name).unwrap_err().to_string();
            assert!(message.contains(&format!("--features {name}")), "{message}");
        }
    }

    #[test]
    fn a_device_that_is_compiled_in_is_there_or_an_error_says_what_it_needs() {
        for name in DEVICES {
            // Twice, since a device can be started only once.
            for _ in 0..2 {
                if let Err(error) = device(name) {
                    assert!(!["flex", "ndarray"].contains(name), "{error}");
                    assert!(error.to_string().contains("driver"), "{error}");
                }
            }
        }
    }
}
