use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::lock::{Locked, lock};
use crate::sync_folder;

/// A temporary folder in which several files are written before they replace those of a destination, all of them or
/// none.
///
/// Files are written to [`path`](Self::path). The destination does not change before [`commit`](Self::commit). If it
/// does not exist, it appears with all files at once. If it exists, its other files are kept, and of those that are
/// replaced a reader finds all of the old, all of the new, or no [marker](Rules::marks), at every moment and even if
/// the program or the machine stops in between. The next `StagedFolder` for the same destination, or
/// [`complete_interrupted_commit`], completes what was interrupted.
///
/// While a value exists, no other can be made for the same destination, in any process. A folder that is dropped
/// without being committed is deleted.
#[derive(Debug)]
pub struct StagedFolder {
    path: PathBuf,
    destination: PathBuf,
    /// The folder that the destination is in.
    parent: PathBuf,
    exists: bool,
    rules: Rules,
    /// Whether to keep the folder when it is dropped, because the commit has begun.
    keep: bool,
    /// Released when it is dropped.
    _lock: Locked,
}

/// Which files of a folder belong together.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether a file shows that the folder is complete. Readers look for such a file and refuse the folder without
    /// it, so it disappears first and comes last.
    pub marks: fn(&str) -> bool,
    /// Whether a file of the destination that is not among the new ones has to disappear when these new files come, given
    /// by their names, because it would not belong to them. Markers disappear anyway when there is a new one.
    pub replaced: fn(file: &str, new: &[String]) -> bool,
}

/// Why files could not be replaced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// A file or folder can't be written. The destination is unchanged.
    #[error("can't write {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another program, or another part of this one, is writing to the destination. It is unchanged.
    #[error(
        "another program is saving to {destination}; wait until it has finished, or choose another folder{}",
        .left.as_ref().map(|left| format!(" (if there is none, delete {})", left.display())).unwrap_or_default()
    )]
    Busy {
        /// The destination.
        destination: PathBuf,
        /// Where the file system has no locks: the folder that shows that the destination is in use.
        left: Option<PathBuf>,
    },
    /// A commit was interrupted, and later something else wrote to the destination. Both are unchanged.
    #[error(
        "{destination} was written by another program after a save was interrupted, whose files are in {staged}; delete that folder, or move its files to {destination}"
    )]
    Superseded {
        /// The destination.
        destination: PathBuf,
        /// The folder with the files of the interrupted commit.
        staged: PathBuf,
    },
    /// Some files were moved to the destination, others could not be.
    #[error(
        "{destination} is only partly replaced; save to it again, which first moves the files that are complete in {staged}"
    )]
    Unfinished {
        /// The destination.
        destination: PathBuf,
        /// The folder with the files that were not moved.
        staged: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// How often a destination may appear, move or disappear while a temporary folder is created for it.
const ATTEMPTS: usize = 100;

// The name of the temporary folder says how far a commit has come.

/// Files are being written. Nothing has changed, and the folder can be deleted.
const WRITING: &str = ".saving";
/// All new files are complete, a marker among them. Files of the destination may have been deleted.
const COMPLETE: &str = ".saving-complete";
/// All new files are complete, without a marker. Markers of the destination may have been moved here.
const KEEPING: &str = ".saving-keeping";
/// The destination has no marker and no file to delete. Files may have been moved to it.
const MOVING: &str = ".saving-moving";

/// The folder with complete files that an interrupted [`StagedFolder::commit`] has left in a destination, if there is
/// one. The next commit moves them first. A commit that is under way has such a folder too.
pub fn interrupted_commit(destination: impl AsRef<Path>) -> Option<PathBuf> {
    let folder = |name| destination.as_ref().join(name);
    [COMPLETE, KEEPING, MOVING]
        .map(folder)
        .into_iter()
        .find(|folder| is_folder(folder))
}

/// Whether a path is a folder and not a link to one, which could lead anywhere.
fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Completes a commit to a destination that was interrupted, if there is one and nobody is at work on it. Readers call
/// it before they read, so that they find all of the new files.
///
/// # Errors
/// [`StageError`] if the lock can't be taken or files can't be moved, for example because they may only be read.
pub fn complete_interrupted_commit(
    destination: impl AsRef<Path>,
    rules: Rules,
) -> Result<(), StageError> {
    let destination = destination.as_ref();
    if interrupted_commit(destination).is_none() {
        return Ok(());
    }
    match lock(destination).map_err(failed(destination))? {
        // Without a lock, a commit that is under way can't be told from one that was interrupted.
        Locked::ByAnother | Locked::Gone | Locked::Unsupported => Ok(()),
        // What another program has written since then is newer than what was interrupted.
        Locked::Here { .. } if is_superseded(destination, rules) => Ok(()),
        Locked::Here { .. } => complete(destination, rules),
    }
}

impl StagedFolder {
    /// Creates a temporary folder, in `destination` if that exists and beside it otherwise. Before that, it completes
    /// a commit to the destination that was interrupted.
    ///
    /// # Errors
    /// [`StageError::Busy`] at once if there is such a folder for the destination already, here or in another process.
    /// [`StageError::Io`] if the destination is a file, or the temporary folder can't be created.
    /// [`StageError::Unfinished`] if an interrupted commit can't be completed.
    pub fn new(destination: impl AsRef<Path>, rules: Rules) -> Result<Self, StageError> {
        let destination = destination.as_ref().to_owned();
        let parent = match destination.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        for _ in 0..ATTEMPTS {
            let exists = match fs::metadata(&destination) {
                Ok(metadata) if metadata.is_dir() => true,
                Ok(_) => return Err(failed(&destination)(ErrorKind::NotADirectory.into())),
                Err(error) if error.kind() == ErrorKind::NotFound => false,
                Err(error) => return Err(failed(&destination)(error)),
            };
            let staged = match exists {
                true => inside(&destination, rules)?,
                false => beside(&destination, &parent)?,
            };
            // Otherwise another process created or moved the destination in the meantime.
            if let Some((path, lock)) = staged {
                return Ok(Self {
                    path,
                    destination,
                    parent,
                    exists,
                    rules,
                    keep: false,
                    _lock: lock,
                });
            }
        }
        Err(busy(&destination, None))
    }

    /// The folder to write the files to. It has no subfolders.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the files to the destination. They have to be on the disk, as [`write_new`](crate::write_new) leaves them.
    ///
    /// In a destination that exists, [markers](Rules::marks) are deleted first and moved last, and files that are
    /// [replaced](Rules::replaced) are deleted in between. A single new file replaces its predecessor at once.
    ///
    /// # Errors
    /// [`StageError::Io`] if the destination is unchanged, [`StageError::Unfinished`] if it has changed.
    pub fn commit(mut self) -> Result<(), StageError> {
        sync_folder(&self.path);
        if !self.exists {
            fs::rename(&self.path, &self.destination).map_err(failed(&self.destination))?;
            self.keep = true;
            sync_folder(&self.parent);
            return Ok(());
        }
        let new = names(&self.path).map_err(failed(&self.path))?;
        if let [file] = new.as_slice()
            && self.is_alone(file, &new)?
        {
            let (from, to) = (self.path.join(file), self.destination.join(file));
            fs::rename(from, &to).map_err(failed(&to))?;
            sync_folder(&self.destination);
            return Ok(()); // the temporary folder, now empty, is deleted
        }
        let phase = match new.iter().any(|file| (self.rules.marks)(file)) {
            true => COMPLETE,
            false => KEEPING,
        };
        // A folder in the place of a file could not be replaced, which has to be known before anything has changed.
        for file in &new {
            let path = self.destination.join(file);
            if is_folder(&path) {
                return Err(failed(&path)(ErrorKind::IsADirectory.into()));
            }
        }
        let next = self.destination.join(phase);
        fs::rename(&self.path, &next).map_err(failed(&next))?;
        self.keep = true;
        complete(&self.destination, self.rules)
    }

    /// Whether the only new file replaces no other file than that of its name.
    fn is_alone(&self, file: &str, new: &[String]) -> Result<bool, StageError> {
        let Rules { marks, replaced } = self.rules;
        let old = names(&self.destination).map_err(failed(&self.destination))?;
        let disappears = |old: &&String| marks(file) && marks(old) || replaced(old, new);
        Ok(!old
            .iter()
            .filter(|old| *old != file)
            .any(|old| disappears(&old)))
    }
}

impl Drop for StagedFolder {
    /// Deletes the folder unless it was committed.
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Creates the temporary folder in a destination that exists, which is locked. `None` if the destination is gone.
fn inside(destination: &Path, rules: Rules) -> Result<Option<(PathBuf, Locked)>, StageError> {
    let lock = match lock(destination).map_err(failed(destination))? {
        Locked::ByAnother => return Err(busy(destination, None)),
        Locked::Gone => return Ok(None),
        lock => lock,
    };
    if let Some(staged) = interrupted_commit(destination) {
        if matches!(lock, Locked::Unsupported) {
            // It may be under way.
            return Err(busy(destination, None));
        }
        if is_superseded(destination, rules) {
            return Err(StageError::Superseded {
                destination: destination.to_owned(),
                staged,
            });
        }
    }
    complete(destination, rules)?;
    let path = destination.join(WRITING);
    if !create(&path)? {
        empty(&path, &lock, destination)?;
    }
    Ok(Some((path, lock)))
}

/// Creates and locks the temporary folder beside a destination that does not exist. `None` if it exists now.
fn beside(destination: &Path, parent: &Path) -> Result<Option<(PathBuf, Locked)>, StageError> {
    fs::create_dir_all(parent).map_err(failed(parent))?;
    let mut name = OsString::from(".");
    name.push(destination.file_name().unwrap_or_default());
    name.push(WRITING);
    let path = parent.join(name);
    let is_new = create(&path)?;
    let lock = match lock(&path) {
        Ok(Locked::ByAnother) => return Err(busy(destination, None)),
        // The process that had it has moved or deleted it.
        Ok(Locked::Gone) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        result => result.map_err(failed(&path))?,
    };
    if !is_new {
        empty(&path, &lock, destination)?;
    }
    if destination.exists() {
        let _ = fs::remove_dir(&path);
        return Ok(None);
    }
    Ok(Some((path, lock)))
}

/// Creates a folder. Returns whether it is new.
fn create(path: &Path) -> Result<bool, StageError> {
    match fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed(path)(error)),
        Err(_) if is_folder(path) => Ok(false),
        // A file or a link, which no commit leaves.
        Err(error) => Err(failed(path)(error)),
    }
}

/// Deletes what a process that was stopped has left in a temporary folder.
fn empty(path: &Path, lock: &Locked, destination: &Path) -> Result<(), StageError> {
    if matches!(lock, Locked::Unsupported) {
        // It may be in use.
        return Err(busy(destination, Some(path.to_owned())));
    }
    for entry in fs::read_dir(path).map_err(failed(path))? {
        let entry = entry.map_err(failed(path))?;
        let (path, kind) = (entry.path(), entry.file_type());
        // No commit leaves a folder in it, so it would not be ours.
        if kind.map_err(failed(&path))?.is_dir() {
            return Err(failed(&path)(ErrorKind::IsADirectory.into()));
        }
        fs::remove_file(&path).map_err(failed(&path))?;
    }
    Ok(())
}

/// Completes a commit whose files are all on the disk. Does nothing if there is none.
fn complete(destination: &Path, rules: Rules) -> Result<(), StageError> {
    let Some(staged) = interrupted_commit(destination) else {
        return Ok(());
    };
    let run = || {
        sync_folder(destination);
        delete_old(destination, rules)?;
        move_new(destination, rules)
    };
    run().map_err(|source| StageError::Unfinished {
        destination: destination.to_owned(),
        staged: interrupted_commit(destination).unwrap_or(staged),
        source,
    })
}

/// Whether the destination has a marker that another program wrote after the commit that was interrupted. A commit
/// itself leaves only markers that are older than its files, and none beside one that is still to be moved.
fn is_superseded(destination: &Path, rules: Rules) -> bool {
    let Some(staged) = interrupted_commit(destination) else {
        return false;
    };
    let times = |folder: &Path| -> Vec<(String, Option<SystemTime>)> {
        let modified = |file: &str| fs::metadata(folder.join(file)).ok()?.modified().ok();
        let names = names(folder).unwrap_or_default();
        names
            .into_iter()
            .map(|file| (file.clone(), modified(&file)))
            .collect()
    };
    let new = times(&staged);
    let newest = new.iter().filter_map(|(_, time)| *time).max();
    let is_moving = staged.ends_with(MOVING);
    let mut old = times(destination)
        .into_iter()
        .filter(|(file, _)| (rules.marks)(file));
    old.any(|(file, time)| match is_moving {
        true => new.iter().any(|(other, _)| *other == file),
        false => time > newest,
    })
}

/// Deletes the markers of the destination, or sets them aside if there is no new one, and then what does not belong to the
/// new files.
fn delete_old(destination: &Path, rules: Rules) -> io::Result<()> {
    let Rules { marks, replaced } = rules;
    let [complete, keeping, moving] =
        [COMPLETE, KEEPING, MOVING].map(|name| destination.join(name));
    let (staged, keeps) = match (is_folder(&keeping), is_folder(&complete)) {
        (true, _) => (keeping, true),
        (false, true) => (complete, false),
        (false, false) => return Ok(()),
    };
    let mut new = names(&staged)?;
    if keeps {
        // Those that were set aside before it was interrupted are not new.
        new.retain(|file| !marks(file));
    }
    let old = names(destination)?;
    for file in old.iter().filter(|file| marks(file)) {
        let path = destination.join(file);
        match keeps {
            true => fs::rename(path, staged.join(file))?,
            false => remove(&path)?,
        }
    }
    // No file that belongs to a marker may disappear before it.
    sync_folder(destination);
    let stale = |file: &&String| !marks(file) && !new.contains(file) && replaced(file, &new);
    for file in old.iter().filter(stale) {
        remove(&destination.join(file))?;
    }
    sync_folder(destination);
    sync_folder(&staged);
    fs::rename(staged, moving)?;
    sync_folder(destination);
    Ok(())
}

/// Moves the new files, the markers last.
fn move_new(destination: &Path, rules: Rules) -> io::Result<()> {
    let moving = destination.join(MOVING);
    let (markers, others): (Vec<_>, Vec<_>) = names(&moving)?
        .into_iter()
        .partition(|file| (rules.marks)(file));
    for files in [others, markers] {
        for file in files {
            fs::rename(moving.join(&file), destination.join(&file))?;
        }
        sync_folder(destination);
    }
    fs::remove_dir(&moving)?;
    sync_folder(destination);
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// The names of the files in a folder, sorted, so that every commit does the same in the same order.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn busy(destination: &Path, left: Option<PathBuf>) -> StageError {
    StageError::Busy {
        destination: destination.to_owned(),
        left,
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> StageError {
    let path = path.to_owned();
    |source| StageError::Io { path, source }
}

#[cfg(test)]
mod tests;
