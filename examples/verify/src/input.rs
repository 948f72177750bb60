use std::error::Error;
use std::path::{Path, PathBuf};

use report::{OutputError, name};
use safetensors::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;

/// Why the comparisons could not be made: exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("can't read {}", name(.path))]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(transparent)]
    Read(#[from] whole_files::ReadError),
    #[error("can't use {}", name(.path))]
    Unusable {
        path: PathBuf,
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("can't use {}: {reason}", name(.path))]
    Content { path: PathBuf, reason: String },
    #[error(transparent)]
    Load(#[from] pretrained::LoadError),
    #[error(transparent)]
    Preprocess(#[from] preprocess::Error),
    #[error(transparent)]
    Locate(#[from] locate::LocateError),
    #[error(transparent)]
    Training(#[from] training::TrainingError),
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Parses a JSON file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, InputError> {
    serde_json::from_slice(&read_bytes(path)?).map_err(|error| unusable(path, error))
}

/// The largest file that is read: 1 GiB. The largest reference that we have is a tenth of that.
const LIMIT: u64 = 1 << 30;

/// The bytes of a file.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, InputError> {
    Ok(whole_files::read(path, LIMIT)?)
}

/// The tensors of a reference file.
pub(crate) struct Tensors {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// A tensor of a reference file.
pub(crate) struct Array<T> {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<T>,
}

impl Tensors {
    pub(crate) fn read(path: PathBuf) -> Result<Self, InputError> {
        let bytes = read_bytes(&path)?;
        SafeTensors::deserialize(&bytes).map_err(|error| unusable(&path, error))?;
        Ok(Self { path, bytes })
    }

    pub(crate) fn names(&self) -> Result<Vec<String>, InputError> {
        let mut names: Vec<String> = self.open()?.names().into_iter().map(String::from).collect();
        names.sort();
        Ok(names)
    }

    /// A tensor of `f32` values.
    pub(crate) fn floats(&self, name: &str) -> Result<Array<f32>, InputError> {
        self.array(name, Dtype::F32, f32::from_le_bytes)
    }

    /// A tensor of `i64` values.
    pub(crate) fn integers(&self, name: &str) -> Result<Array<i64>, InputError> {
        self.array(name, Dtype::I64, i64::from_le_bytes)
    }

    fn open(&self) -> Result<SafeTensors<'_>, InputError> {
        SafeTensors::deserialize(&self.bytes).map_err(|error| unusable(&self.path, error))
    }

    fn array<T, const SIZE: usize>(
        &self,
        name: &str,
        dtype: Dtype,
        convert: impl Fn([u8; SIZE]) -> T,
    ) -> Result<Array<T>, InputError> {
        let file = self.open()?;
        let tensor = file
            .tensor(name)
            .map_err(|error| unusable(&self.path, error))?;
        if tensor.dtype() != dtype {
            let reason = format!("tensor {name} is {:?}, expected {dtype:?}", tensor.dtype());
            return Err(content(&self.path, reason));
        }
        let (elements, _) = tensor.data().as_chunks::<SIZE>();
        Ok(Array {
            shape: tensor.shape().to_vec(),
            values: elements.iter().map(|element| convert(*element)).collect(),
        })
    }
}

impl<T> Array<T> {
    /// The shape, if it has this many dimensions.
    pub(crate) fn dims<const D: usize>(
        &self,
        path: &Path,
        name: &str,
    ) -> Result<[usize; D], InputError> {
        self.shape.as_slice().try_into().map_err(|_| {
            let reason = format!("{name} has shape {:?}, expected {D} dimensions", self.shape);
            content(path, reason)
        })
    }
}

/// A file whose content is not what was expected.
pub(crate) fn content(path: &Path, reason: impl Into<String>) -> InputError {
    InputError::Content {
        path: path.into(),
        reason: reason.into(),
    }
}

/// A file whose content was refused with an error.
pub(crate) fn unusable(path: &Path, source: impl Error + Send + Sync + 'static) -> InputError {
    InputError::Unusable {
        path: path.into(),
        source: Box::new(source),
    }
}
