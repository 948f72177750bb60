//! Fetching cache lines before they are needed.

/// Fetches a cache line that is going to be read.
#[inline(always)]
pub(super) fn prefetch_to_read<T>(line: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction reads nothing and ignores invalid addresses.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

/// Fetches a cache line that is going to be read later into the second cache.
#[inline(always)]
pub(super) fn prefetch_to_second_cache<T>(line: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction reads nothing and ignores invalid addresses.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

/// Fetches a cache line that is going to be written. Without it a processor waits for each line that it
/// writes to, and longer if another core has read the line.
#[inline(always)]
pub(super) fn prefetch_to_write<T>(line: *mut T) {
    // The compiler's function for this prefetches for reading, unless the instruction is enabled for the
    // whole program. Processors without the instruction ignore it.
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction accesses nothing and ignores invalid addresses.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}
