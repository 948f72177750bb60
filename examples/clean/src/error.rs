use std::io;
use std::path::PathBuf;

use datasets::cleaning::{CheckError, ConfigError, FolderError, JournalError};
use report::{OutputError, name};
use whole_files::{ReadError, StageError};

/// Why a data set can't be cleaned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CleanError {
    #[error("the rules in {} can't be used", name(.path))]
    Rules {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Tokenizer(#[from] preprocess::Error),
    #[error("expected a language of mBART-50 for --language (en_XX, en or English), found {0:?}")]
    Language(String),
    #[error("{} is a folder of pictures, which can't be read together with other inputs; clean it alone", name(.0))]
    FolderAmongOthers(PathBuf),
    #[error("{} lies in the output folder {}; write to another folder", name(.input), name(.output))]
    InputInOutput { input: PathBuf, output: PathBuf },
    #[error(
        "{} holds files that this program has not written ({}); name a new folder, or move them away",
        name(.output), others.join(", ")
    )]
    OtherFiles {
        output: PathBuf,
        others: Vec<String>,
    },
    #[error(transparent)]
    Dataset(#[from] datasets::Error),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error("can't start a thread")]
    Thread(#[source] io::Error),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error("can't write {}", name(.path))]
    Write { path: PathBuf, source: io::Error },
    #[error("the data set is written, but not its description")]
    Output(#[from] OutputError),
}

impl CleanError {
    /// An error with a path, for `map_err`.
    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Write { path, source }
    }
}
