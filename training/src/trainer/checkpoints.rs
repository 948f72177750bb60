//! The folders of a training: `checkpoint-N` after update `N`, as Hugging Face's trainer names them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use whole_files::{Locked, lock};

use super::{Best, TRAINING_STATE};
use crate::TrainingError;

const PREFIX: &str = "checkpoint-";

/// What the name of a folder begins with while it is deleted.
const DELETING: &str = ".deleting-";

/// What the names of folders begin and end with that [`StagedFolder`](checkpoint::StagedFolder) makes beside a checkpoint.
const SAVING: &str = ".checkpoint-";
const SAVED: &str = ".saving";

pub(super) fn folder(output: &Path, update: usize) -> PathBuf {
    output.join(format!("{PREFIX}{update}"))
}

/// The complete checkpoints of a training, by update.
fn list(output: &Path) -> io::Result<Vec<(usize, PathBuf)>> {
    let entries = match fs::read_dir(output) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let update = name
            .strip_prefix(PREFIX)
            .and_then(|number| number.parse().ok());
        if let Some(update) = update.filter(|_| path.join(TRAINING_STATE).is_file()) {
            found.push((update, path));
        }
    }
    found.sort();
    Ok(found)
}

/// The last complete checkpoint in the output folder of a training, if there is one.
///
/// # Errors
/// [`TrainingError::Write`] if the folder can't be read.
pub fn latest_checkpoint(output: &Path) -> Result<Option<PathBuf>, TrainingError> {
    let found = list(output).map_err(failed(output))?;
    Ok(found.into_iter().next_back().map(|(_, path)| path))
}

/// The checkpoint of the best evaluation, if it is there.
pub fn best_checkpoint(output: &Path, best: &Best) -> Option<PathBuf> {
    let path = folder(output, best.update);
    path.join(TRAINING_STATE).is_file().then_some(path)
}

/// Deletes all checkpoints but the last `limit` and the best.
pub(super) fn delete_old(
    output: &Path,
    limit: Option<usize>,
    best: Option<&Best>,
) -> Result<(), TrainingError> {
    let run = || -> io::Result<()> {
        // What an earlier process was deleting or saving when it was stopped.
        for entry in fs::read_dir(output)? {
            let (name, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
            let name = name.to_string_lossy();
            let was_saved = || name.starts_with(SAVING) && name.ends_with(SAVED);
            let is_unused = || matches!(lock(&path), Ok(Locked::Here { .. }));
            if name.starts_with(DELETING) || (was_saved() && is_unused()) {
                fs::remove_dir_all(path)?;
            }
        }
        let Some(limit) = limit else {
            return Ok(());
        };
        let mut found = list(output)?;
        found.truncate(found.len().saturating_sub(limit));
        for (update, path) in found {
            if best.is_some_and(|best| best.update == update) {
                continue;
            }
            // So that a half-deleted folder is never taken for a checkpoint.
            let deleting = output.join(format!("{DELETING}{update}"));
            fs::rename(&path, &deleting)?;
            fs::remove_dir_all(deleting)?;
        }
        Ok(())
    };
    run().map_err(failed(output))
}

fn failed(output: &Path) -> impl FnOnce(io::Error) -> TrainingError {
    let path = output.to_owned();
    |source| TrainingError::Write { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_and_the_best_are_kept() {
        let output = tempfile::tempdir().unwrap();
        let output = output.path();
        assert_eq!(latest_checkpoint(output).unwrap(), None);
        for update in [2, 4, 6, 8, 10] {
            fs::create_dir(folder(output, update)).unwrap();
            fs::write(folder(output, update).join(TRAINING_STATE), "{}").unwrap();
        }
        fs::create_dir(folder(output, 12)).unwrap(); // not complete
        fs::create_dir(output.join(".deleting-1")).unwrap();
        fs::create_dir(output.join(".checkpoint-3.saving")).unwrap();
        fs::create_dir(output.join(".checkpoint-5.saving")).unwrap();
        let _saving = lock(&output.join(".checkpoint-5.saving")).unwrap();
        let best = Best {
            update: 4,
            metric: 1.0,
        };
        delete_old(output, Some(2), Some(&best)).unwrap();
        let updates: Vec<usize> = list(output).unwrap().into_iter().map(|(n, _)| n).collect();
        assert_eq!(updates, [4, 8, 10]);
        assert!(!output.join(".deleting-1").exists());
        assert!(!output.join(".checkpoint-3.saving").exists());
        assert!(output.join(".checkpoint-5.saving").exists());
        assert_eq!(latest_checkpoint(output).unwrap(), Some(folder(output, 10)));
    }
}
