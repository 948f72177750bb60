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
        "cuda" => cuda(0),
        _ => {
            let card = name
                .strip_prefix("cuda:")
                .and_then(|number| number.parse::<usize>().ok());
            #[cfg(feature = "cuda")]
            if let Some(number) = card {
                return cuda(number);
            }
            let known = if card.is_some() { "cuda" } else { name };
            let feature = ALL_DEVICES.iter().find(|name| **name == known);
            match feature.filter(|feature| !DEVICES.contains(feature)) {
                Some(feature) => Err(DeviceError::NotCompiledIn { feature }),
                None => Err(DeviceError::Unknown { name: name.into() }),
            }
        }
    }
}

/// Returns the devices of a list of names with commas between them, such as `cuda:0,cuda:1`. `cuda:N` is the graphics
/// card of that number.
///
/// # Errors
/// What [`device`] returns for the first name that can't be used.
pub fn devices(names: &str) -> Result<Vec<Device>, DeviceError> {
    names.split(',').map(|name| device(name.trim())).collect()
}

#[cfg(feature = "ndarray")]
#[expect(deprecated, reason = "supported until Burn removes it")]
fn ndarray() -> Device {
    Device::ndarray()
}

/// A graphics card. Burn would panic if there is none, so this looks first.
#[cfg(feature = "cuda")]
fn cuda(number: usize) -> Result<Device, DeviceError> {
    let cards = Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec();
    let found = cards.len();
    match cards.into_iter().nth(number) {
        Some(card) => Ok(card),
        None if found == 0 => Err(DeviceError::NoCuda),
        None => Err(DeviceError::NoCard { number, found }),
    }
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
    fn a_list_has_a_device_for_each_name() {
        assert_eq!(devices("flex, flex").unwrap(), vec![Device::flex(); 2]);
        for names in ["flex,", "flex,abacus", "flex:1", "cuda:", "cuda:x"] {
            let error = devices(names).unwrap_err().to_string();
            assert!(error.contains("unknown device"), "{names}: {error}");
        }
        if !DEVICES.contains(&"cuda") {
            let error = devices("cuda:0,cuda:1").unwrap_err().to_string();
            assert!(error.contains("--features cuda"), "{error}");
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
