//! Kernels access no byte beyond their buffers. In this program every larger allocation starts or ends at a
//! page without permissions, so that the system stops the program if it does.

#![cfg(all(feature = "flex", target_os = "linux"))]
#![allow(unsafe_code)] // An allocator is unsafe by nature.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::{Device, Distribution, Tensor};
use packed_linear::{Activation, KeysValues, LayerNorm, PackedLinearConfig, attention};

const PAGE: usize = 4096;

/// Smaller allocations are not guarded, since no kernel uses them.
const LEAST: usize = 128;

struct Guarded;

/// Every other allocation starts after a guard page, the others end before one.
static COUNT: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Guarded = Guarded;

fn is_guarded(layout: Layout) -> bool {
    layout.size() >= LEAST && layout.align() <= 64
}

/// The bytes of an allocation's mapping.
fn pages(size: usize) -> usize {
    (size.div_ceil(PAGE) + 2) * PAGE
}

// SAFETY: each allocation has its own mapping, and lies within the pages of it that are accessible.
unsafe impl GlobalAlloc for Guarded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_guarded(layout) {
            // SAFETY: as the caller promises.
            return unsafe { System.alloc(layout) };
        }
        let total = pages(layout.size());
        // SAFETY: a new mapping, whose inner pages are made accessible.
        unsafe {
            let start = libc::mmap(
                std::ptr::null_mut(),
                total,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if start == libc::MAP_FAILED {
                return std::ptr::null_mut();
            }
            let inner = start.cast::<u8>().add(PAGE);
            libc::mprotect(
                inner.cast(),
                total - 2 * PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
            );
            let rest = total - 2 * PAGE - layout.size();
            let at_end = COUNT.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
            let skipped = if at_end {
                rest / layout.align() * layout.align()
            } else {
                0
            };
            inner.add(skipped)
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if !is_guarded(layout) {
            // SAFETY: as the caller promises.
            return unsafe { System.dealloc(pointer, layout) };
        }
        let start = (pointer as usize / PAGE - 1) * PAGE;
        // SAFETY: the mapping of this allocation starts one page before the page that the allocation starts
        // in.
        unsafe { libc::munmap(start as *mut _, pages(layout.size())) };
    }
}

#[test]
fn kernels_access_only_their_buffers() {
    let device = Device::flex();
    device.seed(1);
    let random = Distribution::Normal(0.0, 1.0);
    for format in ["f32", "bf16", "int8", "int8:64", "int4", "int4:8"] {
        for (inputs, outputs) in [(1, 1), (7, 33), (64, 64), (130, 100), (1027, 65)] {
            let layer = PackedLinearConfig::new(inputs, outputs)
                .with_format(Some(format.parse().unwrap()))
                .init(&device);
            for rows in [1, 2, 3, 5, 12, 13, 30] {
                let x = Tensor::<2>::random([rows, inputs], random, &device);
                let y = layer.forward_activated(x, Activation::Gelu);
                assert_eq!(y.dims(), [rows, outputs]);
            }
        }
    }
    for (rows, width) in [(1, 1), (3, 7), (2, 64), (5, 1027), (70, 600)] {
        let x = Tensor::<2>::random([rows, width], random, &device);
        let normed = LayerNorm::new(width, 1e-5, &device).forward(x);
        assert_eq!(normed.dims(), [rows, width]);
    }
    for (heads, head_width, length, rows) in [
        (1, 1, 1, 6),
        (3, 20, 5, 6),
        (4, 64, 33, 6),
        (4, 64, 33, 22),
        (1, 32, 1, 16),
    ] {
        let keys = Tensor::<4>::random([2, heads, length, head_width], random, &device);
        let query = Tensor::<2>::random([rows, heads * head_width], random, &device);
        let slots = vec![1; 2 * length];
        let keys_values = KeysValues {
            keys: &keys,
            values: &keys,
            length,
            slots: Some(&slots),
        };
        assert!(attention(&query, 2, keys_values, true).is_some());
    }
}
