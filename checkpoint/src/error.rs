use std::path::PathBuf;

use whole_files::ReadError;

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
    /// A file is not a regular one, larger than any of its kind should be, or something else stands in its place.
    #[error(transparent)]
    File(ReadError),
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
    /// A folder has no weights, because a program that was saving to it was stopped or has not finished yet.
    #[error(
        "{folder} has no weights, because saving to it was interrupted or has not finished; save to it again, which first moves the files that are complete in {staged}"
    )]
    Interrupted {
        /// The folder.
        folder: PathBuf,
        /// The folder with the files that were not moved.
        staged: PathBuf,
    },
    /// A program replaced the files of a folder while they were read, each time that it was tried.
    #[error(
        "the files of {folder} change while they are read; try again when no program saves to it"
    )]
    Changing {
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
    /// A weight does not have a row that a new one should be like.
    #[error("{origin}: tensor {name} has no row {row} for a new one to be like")]
    MissingRow {
        /// The file.
        origin: String,
        /// The name of the tensor.
        name: String,
        /// The index of the row.
        row: usize,
    },
    /// The names of the file's tensors have another beginning than those of the model.
    #[error(
        "{origin} has no tensor {name}, but {prefix}{name}: {}; save the weights without it, in Python for example with {{name.removeprefix({prefix:?}): tensor for name, tensor in weights.items()}}",
        wrapper(.prefix)
    )]
    Prefix {
        /// The file.
        origin: String,
        /// The name that was looked for.
        name: String,
        /// What the names in the file begin with.
        prefix: String,
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

impl From<ReadError> for LoadError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io { path, source } => Self::Io { path, source },
            error => Self::File(error),
        }
    }
}

/// Beginnings of names that wrappers of a model add, or that are keys of a larger dictionary with the weights.
const WRAPPERS: [&str; 10] = [
    "module",
    "_orig_mod",
    "model",
    "state_dict",
    "model_state_dict",
    "model_state",
    "params",
    "net",
    "ema",
    "weights",
];

/// What names without this beginning have, if it consists of what wrappers add.
pub(crate) fn is_wrapper(prefix: &str) -> bool {
    prefix
        .strip_suffix('.')
        .is_some_and(|parts| parts.split('.').all(|part| WRAPPERS.contains(&part)))
}

/// Why names have a beginning that a model does not have.
fn wrapper(prefix: &str) -> &'static str {
    let has = |part: &str| prefix.split('.').any(|found| found == part);
    if has("module") {
        "\"module.\" was added by a wrapper for training on several devices"
    } else if has("_orig_mod") {
        "\"_orig_mod.\" was added by torch.compile"
    } else {
        "the weights are in a dictionary inside another one"
    }
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
