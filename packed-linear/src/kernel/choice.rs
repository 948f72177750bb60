use std::sync::OnceLock;

use super::portable;
use super::table::Kernel;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use crate::Format;

/// Every kernel for a format that was compiled, the fastest first.
pub(super) fn all(format: Format) -> &'static [Kernel] {
    #[cfg(target_arch = "x86_64")]
    return match format {
        Format::F32 => &[avx512::F32, avx2::F32, portable::F32],
        Format::BF16 => &[avx512::BF16, avx2::BF16, portable::BF16],
        Format::Int8 { .. } => &[avx512::INT8, avx2::INT8_VNNI, avx2::INT8, portable::INT8],
        Format::Int4 { .. } => &[avx512::INT4, avx2::INT4_VNNI, avx2::INT4, portable::INT4],
    };
    #[cfg(not(target_arch = "x86_64"))]
    return match format {
        Format::F32 => &[portable::F32],
        Format::BF16 => &[portable::BF16],
        Format::Int8 { .. } => &[portable::INT8],
        Format::Int4 { .. } => &[portable::INT4],
    };
}

/// What the names of kernels begin with, the fastest first.
const KINDS: [&str; 4] = ["avx512", "avx-vnni", "avx2", "portable"];

/// The fastest kernel for a format that this machine can run, but none faster than what the environment variable
/// `PACKED_LINEAR_KERNEL` names, if it is set. A name that is none allows the portable kernel only.
pub(crate) fn best(format: Format) -> &'static Kernel {
    static BEST: [OnceLock<&'static Kernel>; 4] = [const { OnceLock::new() }; 4];
    let index = match format {
        Format::F32 => 0,
        Format::BF16 => 1,
        Format::Int8 { .. } => 2,
        Format::Int4 { .. } => 3,
    };
    BEST[index].get_or_init(|| {
        let place = |name: &str| KINDS.iter().position(|kind| name.starts_with(kind));
        let fastest = match std::env::var("PACKED_LINEAR_KERNEL") {
            Ok(wanted) => place(&wanted).unwrap_or(KINDS.len() - 1),
            Err(_) => 0,
        };
        let kernels = all(format);
        let allowed = |kernel: &&Kernel| {
            (kernel.is_available)() && place(kernel.name).is_some_and(|place| place >= fastest)
        };
        let portable = &kernels[kernels.len() - 1];
        kernels.iter().find(allowed).unwrap_or(portable)
    })
}
