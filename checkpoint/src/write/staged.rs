use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;

use super::SaveError;
use crate::form::{WeightsForm, shard_numbers};

/// A temporary folder in which a checkpoint is written before it is moved to its destination.
///
/// Files are written to [`path`](Self::path). The destination does not change before
/// [`commit`](Self::commit). If the destination does not exist, it appears with all files at once. If it
/// exists, each file is replaced atomically. Its other files are kept, except for weights in other forms.
///
/// A folder that is dropped without being committed is deleted.
#[derive(Debug)]
pub struct StagedFolder {
    path: PathBuf,
    destination: PathBuf,
    /// The folder that the destination is in.
    parent: PathBuf,
    exists: bool,
    /// Whether to keep the folder when it is dropped, because some files have been moved already.
    keep: bool,
}

impl StagedFolder {
    /// Creates a temporary folder, in `destination` if that exists and beside it otherwise.
    ///
    /// # Errors
    /// [`SaveError::Io`] if the destination is a file, or the temporary folder can't be created.
    pub fn new(destination: impl AsRef<Path>) -> Result<Self, SaveError> {
        let destination = destination.as_ref().to_owned();
        let exists = match fs::metadata(&destination) {
            Ok(metadata) if metadata.is_dir() => true,
            Ok(_) => {
                return Err(SaveError::io(&destination)(ErrorKind::NotADirectory.into()));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(SaveError::io(&destination)(error)),
        };
        let parent = match destination.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        fs::create_dir_all(&parent).map_err(SaveError::io(&parent))?;
        // On the file system of the destination, so that files can be renamed.
        let place = if exists { &destination } else { &parent };
        let mut number = 0;
        let path = loop {
            let path = place.join(format!(".saving-{}-{number}", process::id()));
            match fs::create_dir(&path) {
                Ok(()) => break path,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(SaveError::io(&path)(error)),
            }
        };
        Ok(Self {
            path,
            destination,
            parent,
            exists,
            keep: false,
        })
    }

    /// The folder to write the files to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the files to the destination.
    ///
    /// In a destination that exists, the weights or their index are moved last, because this file shows that
    /// the folder has weights. If the old or the new weights are in several files, which can't be replaced
    /// at the same time, the old file of that kind is deleted first. A crash in between leaves a destination without
    /// weights, never with a mixture, and the new files in the temporary folder.
    ///
    /// # Errors
    /// [`SaveError::Io`] if the destination is unchanged, [`SaveError::Unfinished`] if it has changed.
    pub fn commit(mut self) -> Result<(), SaveError> {
        let files = names(&self.path).map_err(SaveError::io(&self.path))?;
        if !self.exists {
            sync_folder(&self.path);
            fs::rename(&self.path, &self.destination).map_err(SaveError::io(&self.destination))?;
            sync_folder(&self.parent);
            return Ok(());
        }
        self.keep = true;
        self.replace(files)
            .map_err(|source| SaveError::Unfinished {
                destination: self.destination.clone(),
                staged: self.path.clone(),
                source,
            })?;
        self.keep = false;
        Ok(())
    }

    /// Moves files to a destination that exists.
    fn replace(&self, mut files: Vec<String>) -> io::Result<()> {
        let old = names(&self.destination)?;
        let has_weights = files.iter().any(|file| is_marker(file));
        if has_weights && files.iter().chain(&old).any(|file| is_index(file)) {
            for file in old.iter().filter(|file| is_marker(file)) {
                fs::remove_file(self.destination.join(file))?;
            }
            sync_folder(&self.destination);
        }
        files.sort_by_key(|file| is_marker(file));
        for file in &files {
            fs::rename(self.path.join(file), self.destination.join(file))?;
        }
        let stale = |file: &&String| has_weights && is_weights(file) && !files.contains(file);
        for file in old.iter().filter(stale) {
            match fs::remove_file(self.destination.join(file)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                result => result?,
            }
        }
        sync_folder(&self.destination);
        Ok(())
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

fn names(folder: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// Whether the file shows that a folder has weights: it is one of the forms or an index.
fn is_marker(file: &str) -> bool {
    WeightsForm::ALL.iter().any(|form| form.file() == file)
}

/// Whether the file is an index of shards.
fn is_index(file: &str) -> bool {
    is_marker(file) && file.ends_with(".index.json")
}

/// Whether the file has weights in one of the forms, or is an index of such files.
fn is_weights(file: &str) -> bool {
    let is_shard = |stem, extension| shard_numbers(file, stem, extension).is_some();
    is_marker(file) || is_shard("model", "safetensors") || is_shard("pytorch_model", "bin")
}

/// Creates a file and waits until it is on the disk.
///
/// # Errors
/// [`SaveError::Io`] if it exists or can't be written.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    File::create_new(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(SaveError::io(path))
}

/// Waits until the names in a folder are on the disk, on systems that support this.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_their_indices_are_recognised() {
        for name in [
            "model.safetensors",
            "model-00001-of-00003.safetensors",
            "model.safetensors.index.json",
            "pytorch_model-00001-of-00002.bin",
            "flax_model.msgpack",
        ] {
            assert!(is_weights(name), "{name}");
        }
        for name in [
            "my-model.safetensors",
            "model-best.safetensors",
            "optimizer.bin",
            "x",
        ] {
            assert!(!is_weights(name), "{name}");
        }
    }
}
