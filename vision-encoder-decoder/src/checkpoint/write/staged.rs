use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;

use super::SaveError;
use crate::checkpoint::{WeightsForm, shard_numbers};

/// A checkpoint folder under construction, beside or inside the one that it will become.
///
/// Files are written into [`path`](Self::path), and nothing changes in the destination before
/// [`commit`](Self::commit). A destination that does not exist appears whole. In one that does, every
/// file is replaced at once, and files that the new checkpoint does not have stay, apart from weights
/// in other forms.
#[derive(Debug)]
pub struct StagedFolder {
    path: PathBuf,
    destination: PathBuf,
    /// The folder that the destination is in.
    parent: PathBuf,
    exists: bool,
    /// Whether the files are to stay here, since some are in their place already.
    keep: bool,
}

impl StagedFolder {
    /// Begins a folder that will become `destination`.
    ///
    /// # Errors
    /// [`SaveError::Io`] if the destination is a file or its parent can't be written to.
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
        // On the file system of the destination, so that a rename is all that is left to do.
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

    /// Where to write the files.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the files in their place.
    ///
    /// In a destination that exists, the file that shows that there are weights comes last. Where old
    /// or new weights are in several files, which can't change all at once, the old one of that kind
    /// goes first: a crash on the way then leaves a folder without weights, never one with a mixture,
    /// and the new files where they were staged.
    ///
    /// # Errors
    /// [`SaveError::Io`] if nothing has changed, [`SaveError::Unfinished`] if something has.
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

    /// Puts files into a destination that exists.
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
    /// Removes what was not committed.
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

/// Whether a file shows that a folder has weights.
fn is_marker(file: &str) -> bool {
    WeightsForm::ALL.iter().any(|form| form.file() == file)
}

/// Whether it is one of those that name others.
fn is_index(file: &str) -> bool {
    is_marker(file) && file.ends_with(".index.json")
}

/// Whether a file has weights in one of the forms that are read, or is the index of such.
fn is_weights(file: &str) -> bool {
    let is_shard = |stem, extension| shard_numbers(file, stem, extension).is_some();
    is_marker(file) || is_shard("model", "safetensors") || is_shard("pytorch_model", "bin")
}

/// Writes a file of a staged folder and makes sure that it is on the disk.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    File::create_new(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(SaveError::io(path))
}

/// Makes sure that the names in a folder are on the disk, on systems that can be asked for that.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_weights_and_their_indices_count_as_weights() {
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
