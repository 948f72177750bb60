#![allow(unsafe_code)] // Mapping a file is unsafe: a program that changes the file changes the memory.

use std::path::Path;

use memmap2::Mmap;

use super::bytes::open;
use crate::LoadError;

/// Maps a file into memory.
///
/// Its pages are read when they are first accessed. All processes that map the file share them, and the
/// system can drop them and read them again. The file must not be changed in place while it is mapped: if
/// a program truncates it, the system stops all processes that map it with a bus error. This crate replaces
/// files by renaming, which is safe.
pub(super) fn map(path: &Path) -> Result<bytes::Bytes, LoadError> {
    let io = |source| LoadError::Io {
        path: path.to_owned(),
        source,
    };
    let (file, _) = open(path)?;
    // SAFETY: the memory is only read, and any bytes are valid values. The documentation of
    // `PackedFile::map_unchanging` requires that the file does not change.
    let map = unsafe { Mmap::map(&file) }.map_err(io)?;
    Ok(bytes::Bytes::from_owner(map))
}
