//! Reads at a position of a file that several threads share.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::Error;

/// Reads up to the length of the buffer from `offset`, and says how many bytes there were.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_once(file, &mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Fills the buffer from `offset`.
pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    match read_at(file, buffer, offset)? {
        count if count == buffer.len() => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(unix)]
fn read_once(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

/// Moves the file's cursor too, which nothing here uses.
#[cfg(windows)]
fn read_once(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// The files that were read last, open, of the thousands that a data set may have.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles {
    /// The one that was used last is last.
    recent: Mutex<VecDeque<(Arc<Path>, Arc<File>)>>,
}

impl OpenFiles {
    /// How many stay open. Systems allow a process 256 (macOS) or 1,024 (Linux).
    const MOST: usize = 32;

    /// A file, which `check` may refuse when it is opened.
    pub(crate) fn get(
        &self,
        path: &Arc<Path>,
        check: impl FnOnce(&File, &Metadata) -> Result<(), Error>,
    ) -> Result<Arc<File>, Error> {
        if let Some(file) = self.known(path) {
            return Ok(file);
        }
        // Another thread may open it too, which does no harm.
        let (file, metadata) = whole_files::open(&**path)?;
        check(&file, &metadata)?;
        let file = Arc::new(file);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= Self::MOST {
            recent.pop_front();
        }
        recent.push_back((Arc::clone(path), Arc::clone(&file)));
        Ok(file)
    }

    fn known(&self, path: &Path) -> Option<Arc<File>> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let name = path.as_os_str();
        let place = recent
            .iter()
            .rposition(|(known, _)| known.as_os_str() == name)?;
        let entry = recent.remove(place)?;
        let file = Arc::clone(&entry.1);
        recent.push_back(entry);
        Some(file)
    }
}

/// What tells whether a file has changed: its size and when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) bytes: u64,
    /// Nanoseconds since 1970; 0 where the system does not say.
    modified: u64,
}

impl Stamp {
    pub(crate) fn new(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            bytes: metadata.len(),
            modified: since.map_or(0, |since| since.as_nanos() as u64),
        }
    }

    /// Refuses a file that is another one than when it was opened first.
    pub(crate) fn check(self, path: &Path, metadata: &Metadata) -> Result<(), Error> {
        match Self::new(metadata) == self {
            true => Ok(()),
            false => Err(Error::Changed {
                path: path.to_owned(),
            }),
        }
    }
}

/// The error of a file that can't be read.
pub(crate) fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::Read(whole_files::ReadError::Io {
        path: path.to_owned(),
        source,
    })
}
