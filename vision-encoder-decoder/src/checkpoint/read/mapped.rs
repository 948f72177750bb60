#![allow(unsafe_code)] // Mapping a file is unsafe: whoever changes it changes memory.

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use crate::LoadError;

/// Maps a file into memory.
///
/// What is read of it comes from the file when it is first touched, is shared by all processes that
/// have it mapped, and can be dropped and read again. The file must stay as it is meanwhile: this
/// crate replaces the files that it writes and never changes one, but a program that cuts off a file
/// which others have mapped makes those stop with a bus error.
pub(super) fn map(path: &Path) -> Result<bytes::Bytes, LoadError> {
    let io = |source| LoadError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io)?;
    // SAFETY: the memory is only read, and by ways that take any bytes for numbers; that nobody
    // changes the file is asked of users above.
    let map = unsafe { Mmap::map(&file) }.map_err(io)?;
    Ok(bytes::Bytes::from_owner(map))
}
