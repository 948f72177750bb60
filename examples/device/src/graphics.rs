//! Devices of graphics APIs, with wgpu.

use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;
use burn::tensor::wgpu::WgpuBackend;

use crate::DeviceError;

/// Starts the best adapter of an API, if it is not running yet. Without this, Burn would start it at the first
/// tensor, and panic if that fails.
pub(crate) fn start(name: &'static str, api: WgpuBackend) -> Result<Device, DeviceError> {
    static STARTED: Mutex<Vec<(WgpuBackend, Device)>> = Mutex::new(Vec::new());
    // The list is valid even if a thread has panicked while it held the lock.
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, device)) = started.iter().find(|(other, _)| *other == api) {
        return Ok(device.clone());
    }
    let device = Device::wgpu_options()
        .graphics_api(api)
        .init()
        .map_err(|source| DeviceError::Graphics { name, source })?;
    started.push((api, device.clone()));
    Ok(device)
}
