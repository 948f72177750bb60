use std::io;
use std::path::PathBuf;

use report::{OutputError, name};
use whole_files::ReadError;

/// Why nothing, or nothing more, can be translated: exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TranslateError {
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    #[error(transparent)]
    Locate(#[from] locate::LocateError),
    #[error(transparent)]
    Translation(#[from] translation::Error),
    #[error("--set can't be used")]
    Setting(#[source] translation::ConfigError),
    #[error("expected one table for --to, found {found} files")]
    OneTable { found: usize },
    #[error(transparent)]
    Open(#[from] ReadError),
    #[error("can't read {}", name(.path))]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: expected the columns caption and lang_id in the first row, found {found}", name(.path))]
    Header { path: PathBuf, found: String },
    #[error("can't write {}", name(.path))]
    Write { path: PathBuf, source: io::Error },
    #[error("{} exists; name another file, or move it away", name(.0))]
    Exists(PathBuf),
    #[error(
        "{} holds a translation that was begun with {begun}, but this command has {now}; give the same command, or delete that folder",
        name(.folder)
    )]
    OtherWork {
        folder: PathBuf,
        begun: String,
        now: String,
    },
    #[error("{} is not what this program writes there; move it away", name(.path))]
    State {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("another program is translating to {}", name(.0))]
    Busy(PathBuf),
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl TranslateError {
    /// An error with a path, for `map_err`.
    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Write { path, source }
    }

    /// An error with a path, for `map_err`.
    pub(crate) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Read { path, source }
    }
}
