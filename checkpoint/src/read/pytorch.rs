use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pytorch_reader::{DType, PytorchError, PytorchReader, Tensor};
use rayon::prelude::*;

use super::element::Element;
use super::{TensorInfo, TensorSource};
use crate::{Layout, LoadError, Precision};

/// A file that `torch.save` wrote: `pytorch_model.bin`.
///
/// It is a pickle, which Python runs as a program. Here it is read as data, and everything that is not a
/// tensor is ignored. Tensors can only be read whole.
#[derive(Debug)]
pub struct PyTorchFile {
    origin: String,
    tensors: HashMap<String, Tensor>,
    /// The tensor that was read last, with its bytes: usually the next read continues it.
    current: Mutex<Option<(String, Vec<u8>)>>,
}

const FORMAT: &str = "PyTorch";
/// Values that are converted before the memory of their bytes is freed.
const BLOCK_VALUES: usize = 1 << 22;
/// Values that a thread converts at a time.
const PART_VALUES: usize = 1 << 16;

impl PyTorchFile {
    /// Opens a file and reads its table of tensors.
    ///
    /// # Errors
    /// [`LoadError`] if the file can't be read, is damaged, or has tensors that are not plain arrays.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let origin = path.display().to_string();
        let reader = PytorchReader::new(path).map_err(|error| match error {
            PytorchError::Io(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
                LoadError::Io {
                    path: path.to_owned(),
                    source,
                }
            }
            error => damaged(&origin, error.to_string()),
        })?;
        // A view may claim to have more values than the file has bytes. `torch.save` does not compress
        // values, so those of an undamaged tensor all have bytes in the file.
        let length = fs::metadata(path).map_or(0, |metadata| metadata.len());
        let tensors = reader.into_tensors();
        for (name, tensor) in &tensors {
            if tensor.byte_len() as u64 > length {
                let claimed = tensor.byte_len();
                return Err(damaged(
                    &origin,
                    format!("tensor {name} claims {claimed} bytes of a file of {length}"),
                ));
            }
        }
        Ok(Self {
            origin,
            tensors,
            current: Mutex::new(None),
        })
    }

    fn bytes(&self, tensor: &Tensor) -> Result<Vec<u8>, LoadError> {
        tensor.read().map_err(|source| match source.kind() {
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => {
                damaged(&self.origin, source.to_string())
            }
            _ => LoadError::Io {
                path: PathBuf::from(&self.origin),
                source,
            },
        })
    }

    fn find(&self, name: &str) -> Result<(&Tensor, Element), LoadError> {
        let tensor = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        let element = element(tensor.dtype()).ok_or_else(|| LoadError::DType {
            origin: self.origin.clone(),
            name: name.into(),
            found: format!("{:?}", tensor.dtype()),
        })?;
        Ok((tensor, element))
    }
}

impl TensorSource for PyTorchFile {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn names(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo<'_>> {
        let tensor = self.tensors.get(name)?;
        Some(TensorInfo {
            shape: tensor.shape(),
            layout: Layout::OutputFirst,
            precision: element(tensor.dtype()).map_or(Precision::F32, Element::precision),
        })
    }

    fn read(&self, name: &str, start: usize, values: &mut [f32]) -> Result<(), LoadError> {
        let (tensor, element) = self.find(name)?;
        if values.is_empty() {
            return Ok(());
        }
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = match current.take() {
            Some((known, bytes)) if known == name => bytes,
            _ => self.bytes(tensor)?,
        };
        let end = start + values.len();
        element.convert(&bytes[start * element.size()..end * element.size()], values);
        if end < tensor.num_elements() {
            *current = Some((name.into(), bytes));
        }
        Ok(())
    }

    /// Converts from the end to the beginning and frees the memory of converted bytes, so that the largest
    /// tensor is never in memory twice.
    fn read_all(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        let (tensor, element) = self.find(name)?;
        let mut bytes = self.bytes(tensor)?;
        // The system allocates the pages of zeroed memory when they are first written to.
        let mut values = vec![0.0; tensor.num_elements()];
        for start in (0..values.len()).step_by(BLOCK_VALUES).rev() {
            let end = values.len().min(start + BLOCK_VALUES);
            let parts = bytes[start * element.size()..].par_chunks(PART_VALUES * element.size());
            values[start..end]
                .par_chunks_mut(PART_VALUES)
                .zip(parts)
                .for_each(|(values, bytes)| element.convert(bytes, values));
            bytes.truncate(start * element.size());
            bytes.shrink_to_fit();
        }
        Ok(values)
    }
}

fn damaged(origin: &str, reason: String) -> LoadError {
    LoadError::Format {
        origin: origin.into(),
        format: FORMAT,
        reason,
    }
}

/// The type of values that can be read; `None` for all others.
fn element(dtype: DType) -> Option<Element> {
    match dtype {
        DType::F64 => Some(Element::F64),
        DType::F32 => Some(Element::F32),
        DType::F16 => Some(Element::F16),
        DType::BF16 => Some(Element::BF16),
        _ => None,
    }
}
