use std::path::PathBuf;

use crate::form::WeightsForm;

/// Why weights could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file can't be read.
    #[error("can't read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A folder does not have a file.
    #[error("{folder} has no {file}")]
    MissingFile {
        /// The folder.
        folder: PathBuf,
        /// The file that was looked for.
        file: String,
    },
    /// A folder has no weights in any of the known forms.
    #[error(
        "{folder} has no weights, expected one of {}",
        WeightsForm::ALL.map(WeightsForm::file).join(", ")
    )]
    NoWeights {
        /// The folder.
        folder: PathBuf,
    },
    /// The weights are in PyTorch's form, and this program was built without the feature that reads it.
    #[error(
        "can't read {path}, because this program was built without the feature \"pytorch\"; build it with the feature, or save the model as safetensors"
    )]
    WithoutPyTorch {
        /// The file.
        path: PathBuf,
    },
    /// A weights file is damaged or of another format.
    #[error("{origin} is not a readable {format} file: {reason}")]
    Format {
        /// The file.
        origin: String,
        /// The format that was expected.
        format: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The file does not have a weight of the model.
    #[error("{origin} has no tensor {name}")]
    MissingTensor {
        /// The file.
        origin: String,
        /// The names that the weight may have.
        name: String,
    },
    /// The file has two tensors of the same name.
    #[error("{origin} has tensor {name} twice")]
    DuplicateTensor {
        /// The file.
        origin: String,
        /// The name of the tensor.
        name: String,
    },
    /// A weight does not have the shape that the model's configuration says.
    #[error("{origin}: tensor {name} has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The file.
        origin: String,
        /// The name of the tensor.
        name: String,
        /// The shape that the model has.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A weight is stored in a type that can't be read.
    #[error("{origin}: tensor {name} is stored as {found}, expected F32, F16, BF16 or F64")]
    DType {
        /// The file.
        origin: String,
        /// The name of the tensor.
        name: String,
        /// The type.
        found: String,
    },
    /// The file has tensors that the model has no parameters for, so it belongs to another model.
    #[error("{origin} has tensors that this model has no parameters for, so it belongs to another model: {}", list(.names))]
    UnexpectedTensors {
        /// The file.
        origin: String,
        /// Their names.
        names: Vec<String>,
    },
    /// The table of weight names does not fit the module.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Why a table of weight names does not fit a module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// A parameter of the module is not in the table of weight names.
    #[error("the table of weight names has no parameter {parameter}; add it")]
    UnknownParameter {
        /// Burn's path of the parameter.
        parameter: String,
    },
    /// The table of weight names declares a layout that a parameter of this shape can't have.
    #[error(
        "the table of weight names declares {parameter} as OutputLast, which needs 2 dimensions, but its shape is {shape:?}; declare it as OutputFirst"
    )]
    Layout {
        /// Burn's path of the parameter.
        parameter: String,
        /// The shape of the parameter.
        shape: Vec<usize>,
    },
}

/// The first few names and the number of the others, for messages.
pub(crate) fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
