use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::{LoadError, WeightsForm};

/// What a folder's weights were at some moment, to find out whether all files that were read since then belong together.
///
/// [`StagedFolder`](crate::StagedFolder) deletes the file that marks a folder as having weights, or moves it away, before
/// it changes any other. So files that are read while this file stays the same are all old or all new.
///
/// ```
/// # use checkpoint::FolderState;
/// # fn main() -> Result<(), checkpoint::LoadError> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// # std::fs::write(folder.join("config.json"), "{}").unwrap();
/// let [config, tokenizer] = FolderState::while_unchanged(folder, || {
///     ["config.json", "tokenizer.json"].map(|file| std::fs::read(folder.join(file)))
/// })?;
/// # config.unwrap();
/// # tokenizer.unwrap_err();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderState([Option<Identity>; WeightsForm::ALL.len()]);

/// What tells a file from another of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    length: u64,
    modified: Option<SystemTime>,
    /// Device, number and time of the last change of the file itself or its name.
    node: [i128; 4],
}

impl FolderState {
    /// The present state of a folder.
    pub fn of(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        Self(WeightsForm::ALL.map(|form| {
            let metadata = fs::metadata(folder.join(form.file())).ok()?;
            Some(Identity {
                length: metadata.len(),
                modified: metadata.modified().ok(),
                node: node(&metadata),
            })
        }))
    }

    /// Reads files of a folder, again if a program replaced them meanwhile, and returns what `read` returned when they
    /// stayed the same. Files that are open may be read on later.
    ///
    /// # Errors
    /// [`LoadError::Changing`] if the folder changed each time.
    pub fn while_unchanged<T>(
        folder: impl AsRef<Path>,
        mut read: impl FnMut() -> T,
    ) -> Result<T, LoadError> {
        const ATTEMPTS: usize = 3;
        let folder = folder.as_ref();
        for _ in 0..ATTEMPTS {
            let before = Self::of(folder);
            let result = read();
            if Self::of(folder) == before {
                return Ok(result);
            }
        }
        Err(LoadError::Changing {
            folder: PathBuf::from(folder),
        })
    }
}

#[cfg(unix)]
fn node(metadata: &Metadata) -> [i128; 4] {
    use std::os::unix::fs::MetadataExt;
    [
        metadata.dev().into(),
        metadata.ino().into(),
        metadata.ctime().into(),
        metadata.ctime_nsec().into(),
    ]
}

#[cfg(not(unix))]
fn node(_metadata: &Metadata) -> [i128; 4] {
    [0; 4]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_changes_is_read_again_and_then_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let mut reads = 0;
        let result: Result<_, LoadError> = FolderState::while_unchanged(folder.path(), || {
            reads += 1;
            if reads == 1 {
                fs::write(&path, "new").unwrap();
            }
            reads
        });
        assert_eq!(result.unwrap(), 2);
        let result: Result<(), LoadError> = FolderState::while_unchanged(folder.path(), || {
            reads += 1;
            fs::write(&path, "x".repeat(reads)).unwrap();
        });
        assert!(matches!(result, Err(LoadError::Changing { .. })));
    }
}
