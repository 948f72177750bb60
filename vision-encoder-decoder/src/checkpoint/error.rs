use std::path::PathBuf;

use crate::checkpoint::WeightsForm;
use crate::config::ConfigError;

/// Why a checkpoint could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file can't be read.
    #[error("can't read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A folder lacks a file.
    #[error("{folder} has no {file}")]
    MissingFile {
        /// The folder.
        folder: PathBuf,
        /// What was looked for.
        file: String,
    },
    /// A folder has no weights in any form that is known.
    #[error(
        "{folder} has no weights, expected one of {}",
        WeightsForm::ALL.map(WeightsForm::file).join(", ")
    )]
    NoWeights {
        /// The folder.
        folder: PathBuf,
    },
    /// The weights are PyTorch's, and this program was built without reading those.
    #[error(
        "{path} can't be read, as this program was built without the feature \"pytorch\" of vision-encoder-decoder; build it with that, or save the model as safetensors"
    )]
    WithoutPyTorch {
        /// The file.
        path: PathBuf,
    },
    /// A configuration file has no meaning here.
    #[error("{origin}: {source}")]
    Config {
        /// The file.
        origin: String,
        /// What is wrong with it.
        source: ConfigError,
    },
    /// A weights file is damaged or of another format.
    #[error("{origin} is no readable {format} file: {reason}")]
    Format {
        /// The file.
        origin: String,
        /// What it should be.
        format: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A weight is not in the file.
    #[error("{origin} has no tensor {name}")]
    MissingTensor {
        /// The file.
        origin: String,
        /// The names that it may have.
        name: String,
    },
    /// A tensor comes twice, so that it is not clear which one is meant.
    #[error("{origin} has tensor {name} twice")]
    DuplicateTensor {
        /// The file.
        origin: String,
        /// The tensor.
        name: String,
    },
    /// A weight has another shape than the configuration says.
    #[error("{origin}: tensor {name} has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The file.
        origin: String,
        /// The tensor.
        name: String,
        /// What the configuration says.
        expected: Vec<usize>,
        /// What the file has.
        found: Vec<usize>,
    },
    /// A weight is stored as something that can't be read.
    #[error("{origin}: tensor {name} is stored as {found}, expected F32, F16, BF16 or F64")]
    DType {
        /// The file.
        origin: String,
        /// The tensor.
        name: String,
        /// How it is stored.
        found: String,
    },
    /// The file has tensors that the model has no use for, so it is of another model.
    #[error("{origin} has tensors that this model has no place for: {}", list(.names))]
    UnexpectedTensors {
        /// The file.
        origin: String,
        /// Their names.
        names: Vec<String>,
    },
    /// A parameter has no name in the table.
    #[error("no weight name is known for parameter {parameter}; add it to the table")]
    UnknownParameter {
        /// Burn's path of it.
        parameter: String,
    },
}

/// The first few names and how many more there are.
pub(crate) fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
