use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

/// The lock of a folder against other writers. The system releases it when the process ends, however it ends.
#[derive(Debug)]
#[must_use = "the lock is released when this value is dropped"]
pub enum Locked {
    /// This value has the lock until it is dropped.
    Here {
        /// Releases it.
        guard: Guard,
    },
    /// Another value or process has it.
    ByAnother,
    /// The folder was moved or deleted before it could be locked.
    Gone,
    /// The file system or the operating system has no locks.
    Unsupported,
}

/// Unlocks when it is dropped.
#[derive(Debug)]
pub struct Guard(File);

impl Drop for Guard {
    /// To close the file is not enough: a process that another thread is starting has it too, for a moment.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Locks a folder if nobody else has locked it. [`StagedFolder`](crate::StagedFolder) takes the same lock of its
/// destination while it lives.
///
/// # Errors
/// If the folder can't be opened.
pub fn lock(folder: &Path) -> io::Result<Locked> {
    let file = open(folder)?;
    Ok(match file.try_lock() {
        Ok(()) if is_still(folder, &file) => Locked::Here { guard: Guard(file) },
        Ok(()) => Locked::Gone,
        Err(TryLockError::WouldBlock) => Locked::ByAnother,
        Err(TryLockError::Error(_)) => Locked::Unsupported,
    })
}

/// A folder can be locked itself, so that no file is left in it.
#[cfg(unix)]
fn open(folder: &Path) -> io::Result<File> {
    File::open(folder)
}

/// Other systems lock files only. This one is beside the folder and stays there, so that it never belongs to what the
/// folder holds.
#[cfg(not(unix))]
fn open(folder: &Path) -> io::Result<File> {
    let mut name = std::ffi::OsString::from(".");
    name.push(folder.file_name().unwrap_or_default());
    name.push(".lock");
    let mut options = fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    options.open(folder.with_file_name(name))
}

/// Whether a path still leads to the folder that was opened there.
#[cfg(unix)]
fn is_still(folder: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let now = fs::metadata(folder).map(|metadata| (metadata.dev(), metadata.ino()));
    let then = file
        .metadata()
        .map(|metadata| (metadata.dev(), metadata.ino()));
    matches!((now, then), (Ok(now), Ok(then)) if now == then)
}

#[cfg(not(unix))]
fn is_still(_folder: &Path, _file: &File) -> bool {
    true
}
