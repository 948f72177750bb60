use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pytorch_reader::{DType, PytorchError, PytorchReader, Tensor};
use rayon::prelude::*;

use super::element::Element;
use super::{Layout, TensorInfo, TensorSource};
use crate::LoadError;
use crate::checkpoint::Precision;

/// A file of `torch.save`: `pytorch_model.bin`.
///
/// It is a pickle, which Python runs as a program; here it is read as data, and what is no tensor is
/// passed over. A tensor can only be read whole.
#[derive(Debug)]
pub struct PyTorchFile {
    origin: String,
    tensors: HashMap<String, Tensor>,
    /// The tensor that was read last, with its bytes: it is mostly read on.
    current: Mutex<Option<(String, Vec<u8>)>>,
}

const FORMAT: &str = "PyTorch";
/// Numbers that are converted before the memory that held their bytes is given back.
const NUMBERS: usize = 1 << 22;
/// Numbers that a thread converts at a time.
const PART: usize = 1 << 16;

impl PyTorchFile {
    /// Opens a file and reads its table of tensors.
    ///
    /// # Errors
    /// [`LoadError`] if the file can't be read, is damaged, or has tensors of a kind that is no
    /// plain array.
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
        // A view may say that it has more numbers than there are bytes; `torch.save` writes none
        // compressed, so an honest tensor never does.
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

    /// Converts from the end to the front and gives back the memory of what is converted, so that
    /// the largest tensor is never in memory twice.
    fn read_all(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        let (tensor, element) = self.find(name)?;
        let mut bytes = self.bytes(tensor)?;
        // Zeroed memory that was never written to takes no room yet.
        let mut values = vec![0.0; tensor.num_elements()];
        for start in (0..values.len()).step_by(NUMBERS).rev() {
            let end = values.len().min(start + NUMBERS);
            let numbers = bytes[start * element.size()..].par_chunks(PART * element.size());
            values[start..end]
                .par_chunks_mut(PART)
                .zip(numbers)
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

/// How a type's numbers are read, if they are floating-point numbers.
fn element(dtype: DType) -> Option<Element> {
    match dtype {
        DType::F64 => Some(Element::F64),
        DType::F32 => Some(Element::F32),
        DType::F16 => Some(Element::F16),
        DType::BF16 => Some(Element::BF16),
        _ => None,
    }
}
