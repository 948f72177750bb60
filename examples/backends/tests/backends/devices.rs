//! The devices that the tests run on.

use burn::tensor::{Device, Tensor};

/// How much hidden states, logits and log-probabilities may differ from the reference: the tolerance of
/// `verify` on all devices.
pub(crate) const STATES: f32 = 2e-4;

/// How much the scores of texts may differ from the reference: the tolerance of `verify` on all devices.
pub(crate) const SCORES: f32 = 1e-4;

/// Runs a check on every device that is compiled in. The test fails if one is missing on this machine:
/// skipping it would hide that nothing was tested.
pub(crate) fn on_every_device(check: impl Fn(&str, &Device)) {
    for name in device::DEVICES {
        let device = device::device(name).unwrap_or_else(|error| panic!("{error}: {error:?}"));
        check(name, &device);
    }
}

/// Checks that there are as many values as in the reference, and that none differs from it by more than the
/// tolerance. Returns the largest difference.
pub(crate) fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) -> f32 {
    assert_eq!(found.len(), expected.len(), "{what}");
    let apart = found
        .iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs())
        // NaN is infinitely far away.
        .fold(0.0, |largest: f32, apart| match apart.is_nan() {
            true => f32::INFINITY,
            false => largest.max(apart),
        });
    assert!(apart <= tolerance, "{what}: {apart:e}");
    apart
}

/// The values of a tensor, in row-major order.
pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().unwrap()
}

/// Mesa also renders OpenGL in software. Burn prefers Vulkan, which is what should be tested.
#[cfg(all(feature = "wgpu", target_os = "linux"))]
#[test]
fn the_graphics_device_is_a_card_or_mesas_software_vulkan() {
    use burn::tensor::wgpu::WgpuBackend;

    // Burn can start only one device of a graphics API.
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
