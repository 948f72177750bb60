//! Devices and threads by name, for the programs of this workspace.
//!
//! Only programs name a backend, libraries do not. Features of this package select the backends that are
//! compiled in, and the programs forward them: `cargo run -p caption --features wgpu`. To add a backend, add
//! a feature, its name to [`DEVICES`] and [`ALL_DEVICES`], and an arm to [`device`].

mod error;
#[cfg(feature = "wgpu")]
mod graphics;
mod threads;

use burn::tensor::Device;

pub use error::DeviceError;
pub use threads::with_threads;

/// The names of the devices that are compiled in, for `--device`.
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

/// The names of all devices, each of which is also the name of its feature.
pub const ALL_DEVICES: [&str; 5] = ["flex", "ndarray", "wgpu", "vulkan", "cuda"];

/// Returns the device of a name. The same name always gives the same device.
///
/// # Errors
/// [`DeviceError::Unknown`] if there is no such device, [`DeviceError::NotCompiledIn`] if this program was
/// built without it, or a variant that says what the device needs and this machine does not have.
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
#[expect(deprecated, reason = "supported until Burn removes it")]
fn ndarray() -> Device {
    Device::ndarray()
}

/// The first graphics card. Burn would panic if there is none, so this looks first.
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
    fn a_device_that_is_compiled_in_starts_or_an_error_says_what_it_needs() {
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
