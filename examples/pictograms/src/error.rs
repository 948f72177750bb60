use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why no scenes were drawn.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(
        "can't read a package: unpack the packages with packages.sh and name their folder with --packages"
    )]
    Package(#[from] whole_files::ReadError),
    #[error("{} is not the JSON file that is expected there", path.display())]
    Json {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("the packages in {} have no thing that all styles draw and all languages name", packages.display())]
    NothingToDraw { packages: PathBuf },
    #[error("{} holds shards already: name another folder, or remove them", folder.display())]
    NotEmpty { folder: PathBuf },
    #[error("can't write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Output(#[from] report::OutputError),
}

impl Error {
    /// Says which file could not be written.
    pub(crate) fn writing(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }
}
