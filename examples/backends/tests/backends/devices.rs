//! The devices that the tests run on.

use burn::tensor::{Device, Tensor};

/// How far hidden states, logits and log-probabilities may be from the reference: what `verify`
/// allows on any device.
pub(crate) const STATES: f32 = 2e-4;

/// Likewise the scores of texts.
pub(crate) const SCORES: f32 = 1e-4;

/// Runs a check on every device. What is compiled in has to be there: a test that passes over it
/// would say nothing.
pub(crate) fn on_every_device(check: impl Fn(&str, &Device)) {
    for name in device::DEVICES {
        let device = device::device(name).unwrap_or_else(|error| panic!("{error}: {error:?}"));
        check(name, &device);
    }
}

/// Fails if numbers are further from the reference than that, or if there are not as many. Returns
/// how far they are.
pub(crate) fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) -> f32 {
    assert_eq!(found.len(), expected.len(), "{what}");
    let apart = found
        .iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs())
        // What is no number is as far away as can be.
        .fold(0.0, |most: f32, apart| match apart.is_nan() {
            true => f32::INFINITY,
            false => most.max(apart),
        });
    assert!(apart <= tolerance, "{what}: {apart:e}");
    apart
}

/// The numbers of a tensor, in row-major order.
pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().unwrap()
}

/// Mesa has software for OpenGL as well; Vulkan is what is meant, and what Burn prefers.
#[cfg(all(feature = "wgpu", target_os = "linux"))]
#[test]
fn graphics_is_a_card_or_mesas_software_vulkan() {
    use burn::tensor::wgpu::WgpuBackend;

    // Burn starts a device of an API only once.
    let vulkan = match device::DEVICES.contains(&"vulkan") {
        true => device::device("vulkan").unwrap(),
        false => {
            let options = Device::wgpu_options();
            options.graphics_api(WgpuBackend::Vulkan).init().unwrap()
        }
    };
    for device in [device::device("wgpu").unwrap(), vulkan] {
        let identity = device.identity().unwrap();
        println!("{device:?} is {}", identity.name);
        let software = identity.physical.is_none();
        assert!(
            !software || identity.name.contains("llvmpipe"),
            "{identity:?}"
        );
    }
}
