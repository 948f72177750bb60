use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use report::name;
use whole_files::{Locked, StagedFile, lock};

/// Why files can't be written to a folder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error("can't {action} {}", name(.path))]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("another program is writing to {}; wait until it has finished, or choose another folder", name(.0))]
    Busy(PathBuf),
    #[error("{} is not empty; --resume goes on with a run that was stopped, otherwise choose another folder", name(.0))]
    NotEmpty(PathBuf),
    #[error(
        "{} was not written from these inputs by this model with these options, so the files of the folder together would \
         have pictures twice, or others; give the same inputs and options, delete the file, or choose another folder",
        name(.0)
    )]
    Unexpected(PathBuf),
}

/// A folder that only this process writes to.
#[derive(Debug)]
pub(super) struct OutputFolder {
    path: PathBuf,
    there: HashSet<String>,
    /// Released when it is dropped.
    _lock: Locked,
}

impl OutputFolder {
    /// Creates or opens a folder for files of these names, and deletes those that a killed run has left unfinished.
    pub(super) fn open(path: &Path, names: &[String], resume: bool) -> Result<Self, FolderError> {
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| FolderError::Io {
                action,
                path,
                source,
            }
        };
        fs::create_dir_all(path).map_err(failed("create the folder", path))?;
        let locked = lock(path).map_err(failed("lock", path))?;
        if matches!(locked, Locked::ByAnother | Locked::Gone) {
            return Err(FolderError::Busy(path.to_owned()));
        }
        let expected: HashSet<&str> = names.iter().map(String::as_str).collect();
        let mut there = HashSet::new();
        let mut unfinished = Vec::new();
        for entry in fs::read_dir(path).map_err(failed("list", path))? {
            let entry = entry.map_err(failed("list", path))?;
            let file = entry.file_name().to_string_lossy().into_owned();
            if file.starts_with('.') {
                continue;
            }
            if is_unfinished(&file) {
                unfinished.push(entry.path());
            } else if !resume {
                return Err(FolderError::NotEmpty(path.to_owned()));
            } else if expected.contains(file.as_str()) {
                there.insert(file);
            } else {
                return Err(FolderError::Unexpected(entry.path()));
            }
        }
        for file in unfinished {
            fs::remove_file(&file).map_err(failed("delete", &file))?;
        }
        Ok(Self {
            path: path.to_owned(),
            there,
            _lock: locked,
        })
    }

    /// The numbers of the names that are not there, each name once.
    pub(super) fn missing(&self, names: &[String]) -> Vec<usize> {
        let mut seen: HashSet<&str> = self.there.iter().map(String::as_str).collect();
        let mut missing: Vec<usize> = (0..names.len()).collect();
        missing.retain(|number| seen.insert(&names[*number]));
        missing
    }

    /// Why a file of the folder could not be written.
    pub(super) fn not_written(&self, file: &str, source: io::Error) -> FolderError {
        FolderError::Io {
            action: "write",
            path: self.path.join(file),
            source,
        }
    }

    /// Begins a file.
    pub(super) fn begin(&self, file: &str) -> io::Result<StagedFile> {
        StagedFile::new(self.path.join(file))
    }
}

/// Whether a file was begun by a run and not completed. Other files of that ending may be the user's.
fn is_unfinished(file: &str) -> bool {
    let parts = file.strip_suffix(StagedFile::ENDING);
    let formats = super::OutputFormat::ALL.map(|format| format!(".{format}."));
    parts.is_some_and(|start| {
        let start = start.strip_suffix('.').unwrap_or(start);
        formats.iter().any(|format| {
            let number = start.rsplit_once(format.as_str()).map(|(_, number)| number);
            number.is_some_and(|number| {
                number
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'-')
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_killed_runs_are_deleted() {
        for (file, unfinished) in [
            ("a-0123456789abcdef.jsonl.4711-0.part", true),
            ("a.tar.1-22.part", true),
            ("a.jsonl", false),
            ("movie.part", false),
            ("a.jsonl.mine.part", false),
        ] {
            assert_eq!(is_unfinished(file), unfinished, "{file}");
        }
    }

    #[test]
    fn a_folder_has_one_writer_and_files_that_belong_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let names = ["a.csv".to_owned(), "b.csv".to_owned(), "a.csv".to_owned()];
        let open = |resume| OutputFolder::open(&path, &names, resume);
        let first = open(false).unwrap();
        assert_eq!(first.missing(&names), [0, 1]);
        assert!(matches!(open(true), Err(FolderError::Busy(_))));
        drop(first);
        fs::write(path.join("a.csv"), "").unwrap();
        fs::write(path.join("b.csv.77-1.part"), "").unwrap();
        assert!(matches!(open(false), Err(FolderError::NotEmpty(_))));
        let second = open(true).unwrap();
        assert_eq!(second.missing(&names), [1]);
        assert!(!path.join("b.csv.77-1.part").exists());
        drop(second);
        fs::write(path.join("c.csv"), "").unwrap();
        assert!(matches!(open(true), Err(FolderError::Unexpected(_))));
    }
}
