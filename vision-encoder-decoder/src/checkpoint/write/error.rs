use std::path::{Path, PathBuf};

use burn::tensor::TensorReadError;

use crate::checkpoint::Precision;

/// Why a checkpoint could not be saved. What was there before is still there, but for
/// [`Unfinished`](Self::Unfinished).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// A file can't be written.
    #[error("can't write {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Some files were put in their place, others could not be.
    #[error(
        "{destination} is only partly replaced; the files that are missing there are complete in {staged}, move them"
    )]
    Unfinished {
        /// The folder.
        destination: PathBuf,
        /// Where the files are that are not in their place.
        staged: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A weight does not fit the precision.
    #[error(
        "tensor {name} has the value {value:e}, which is beyond the range of {precision}; choose f32 or bf16"
    )]
    OutOfRange {
        /// The tensor.
        name: String,
        /// The value.
        value: f32,
        /// What it should be stored as.
        precision: Precision,
    },
    /// A weight could not be brought from the device.
    #[error("can't read tensor {name} from its device")]
    Device {
        /// The tensor.
        name: String,
        /// What the device said.
        source: TensorReadError,
    },
    /// A parameter has no name in the table.
    #[error("no weight name is known for parameter {parameter}; add it to the table")]
    UnknownParameter {
        /// Burn's path of it.
        parameter: String,
    },
    /// The header of a file can't be made.
    #[error("can't describe the tensors of {path}: {reason}")]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl SaveError {
    /// Makes an error of a file or folder from what the system said.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_owned();
        |source| Self::Io { path, source }
    }
}
