use std::path::{Path, PathBuf};

use burn::tensor::TensorReadError;
use whole_files::StageError;

use crate::{Precision, TableError};

/// Why a checkpoint could not be saved. The destination is unchanged, except after
/// [`Unfinished`](Self::Unfinished).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// A file can't be written.
    #[error("can't write {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Another program, or another part of this one, is saving to the destination.
    #[error(
        "another program is saving to {destination}; wait until it has finished, or choose another folder{}",
        .left.as_ref().map(|left| format!(" (if there is none, delete {})", left.display())).unwrap_or_default()
    )]
    Busy {
        /// The folder.
        destination: PathBuf,
        /// Where the file system has no locks: the folder that shows that the destination is in use.
        left: Option<PathBuf>,
    },
    /// Some files were moved to the destination, others could not be.
    #[error(
        "{destination} is only partly replaced; save to it again, which first moves the files that are complete in {staged}"
    )]
    Unfinished {
        /// The folder.
        destination: PathBuf,
        /// The folder with the files that were not moved.
        staged: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The files can't be moved to the folder for another reason.
    #[error(transparent)]
    Stage(StageError),
    /// A weight has a value that is too large for the precision.
    #[error(
        "tensor {name} has the value {value:e}, which is beyond the range of {precision}; choose f32 or bf16"
    )]
    OutOfRange {
        /// The name of the tensor.
        name: String,
        /// The value.
        value: f32,
        /// The precision that it should be stored in.
        precision: Precision,
    },
    /// A weight could not be read from its device.
    #[error("can't read tensor {name} from its device")]
    Device {
        /// The name of the tensor.
        name: String,
        /// The error of the device.
        source: TensorReadError,
    },
    /// The table of weight names does not fit the module.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The header of a file can't be written.
    #[error("can't describe the tensors of {path}: {reason}")]
    Header {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl SaveError {
    /// Wraps an error of the operating system with the file or folder that it is about.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_owned();
        |source| Self::Io { path, source }
    }
}

impl From<StageError> for SaveError {
    fn from(error: StageError) -> Self {
        match error {
            StageError::Busy { destination, left } => Self::Busy { destination, left },
            StageError::Unfinished {
                destination,
                staged,
                source,
            } => Self::Unfinished {
                destination,
                staged,
                source,
            },
            StageError::Io { path, source } => Self::Io { path, source },
            other => Self::Stage(other),
        }
    }
}
