//! Devices of graphics APIs, by way of wgpu.

use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;
use burn::tensor::wgpu::WgpuBackend;

use crate::DeviceError;

/// Starts the best adapter of an API, once. Burn would start it at the first tensor, and panic there
/// if it can't.
pub(crate) fn start(name: &'static str, api: WgpuBackend) -> Result<Device, DeviceError> {
    static STARTED: Mutex<Vec<(WgpuBackend, Device)>> = Mutex::new(Vec::new());
    // What is in there is whole even if a thread panicked while it held the lock.
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
