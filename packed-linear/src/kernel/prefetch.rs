//! Asking for memory before it is needed.

/// Asks for a line of the cache that is to be read.
#[inline(always)]
pub(super) fn prefetch_to_read<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: nothing is read; an address that is not there is passed over.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Asks for a line of the cache that is to be written: processors wait for what they write to, one place
/// after the other, the longer if another has read it.
#[inline(always)]
pub(super) fn prefetch_to_write<T>(place: *mut T) {
    // By name, as the compiler's function for it is one for reading where it does not know of the
    // instruction. Processors that do not have it pass over it.
    #[cfg(target_arch = "x86_64")]
    // SAFETY: nothing is read or written; an address that is not there is passed over.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) place, options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}
