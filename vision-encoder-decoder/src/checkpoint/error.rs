use std::path::PathBuf;

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
    #[error(
        "{folder} has no {file}; a Hugging Face checkpoint folder has config.json and model.safetensors"
    )]
    MissingFile {
        /// The folder.
        folder: PathBuf,
        /// What was looked for.
        file: String,
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
    #[error("{origin} is not a readable safetensors file: {reason}")]
    Format {
        /// The file.
        origin: String,
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
fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
