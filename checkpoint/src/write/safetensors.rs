use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::parameters::Entry;
use crate::{Precision, SaveError};

/// The header is padded to a multiple of this, so that tensors are aligned.
const ALIGNMENT: usize = 8;

/// The file begins with the length of the header, in this many bytes.
const LENGTH_BYTES: usize = 8;

/// A safetensors file that is written sequentially.
pub(super) struct SafetensorsWriter {
    path: PathBuf,
    file: BufWriter<File>,
    precision: Precision,
    buffer: Vec<u8>,
}

impl SafetensorsWriter {
    /// Creates a file with these tensors, in this order. All of them are stored in `precision`.
    pub(super) fn create(
        path: &Path,
        entries: &[Entry],
        precision: Precision,
    ) -> Result<Self, SaveError> {
        let dtype = match precision {
            Precision::F32 => Dtype::F32,
            Precision::F16 => Dtype::F16,
            Precision::BF16 => Dtype::BF16,
        };
        let tensors = entries
            .iter()
            .map(|entry| (entry.name.clone(), dtype, entry.shape.clone()));
        // Transformers refuses files without this entry.
        let format = BTreeMap::from([("format".into(), "pt".into())]);
        let header = header(tensors, format, ALIGNMENT);
        Self::with_header(path, header, precision)
    }

    /// Creates a file with the given header.
    pub(super) fn with_header(
        path: &Path,
        header: Result<Vec<u8>, String>,
        precision: Precision,
    ) -> Result<Self, SaveError> {
        let header = header.map_err(|reason| SaveError::Header {
            path: path.to_owned(),
            reason,
        })?;
        let file = File::create_new(path).map_err(SaveError::io(path))?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&(header.len() as u64).to_le_bytes())
            .and_then(|()| file.write_all(&header))
            .map_err(SaveError::io(path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            precision,
            buffer: Vec::new(),
        })
    }

    /// Appends values of the tensor `name`.
    pub(super) fn write(&mut self, name: &str, values: &[f32]) -> Result<(), SaveError> {
        self.buffer.clear();
        match self.precision {
            Precision::F32 => self.encode(values, f32::to_le_bytes),
            Precision::BF16 => self.encode(values, |value| bf16::from_f32(value).to_le_bytes()),
            Precision::F16 => {
                let beyond =
                    |value: &&f32| value.is_finite() && f16::from_f32(**value).is_infinite();
                if let Some(value) = values.iter().find(beyond) {
                    return Err(SaveError::OutOfRange {
                        name: name.into(),
                        value: *value,
                        precision: self.precision,
                    });
                }
                self.encode(values, |value| f16::from_f32(value).to_le_bytes());
            }
        }
        self.file
            .write_all(&self.buffer)
            .map_err(SaveError::io(&self.path))
    }

    /// Appends words of a packed tensor.
    pub(super) fn write_words(&mut self, words: &[u32]) -> Result<(), SaveError> {
        self.buffer.clear();
        self.buffer
            .extend(words.iter().flat_map(|word| word.to_le_bytes()));
        self.file
            .write_all(&self.buffer)
            .map_err(SaveError::io(&self.path))
    }

    fn encode<const SIZE: usize>(&mut self, values: &[f32], encode: impl Fn(f32) -> [u8; SIZE]) {
        self.buffer
            .extend(values.iter().flat_map(|value| encode(*value)));
    }

    /// Completes the file and waits until it is on the disk.
    pub(super) fn finish(self) -> Result<(), SaveError> {
        self.file
            .into_inner()
            .map_err(|error| error.into_error())
            .and_then(|file| file.sync_all())
            .map_err(SaveError::io(&self.path))
    }
}

/// The header of a file with these tensors (names, types and shapes), in this order. It is padded so that
/// the first tensor begins at a multiple of `alignment`.
pub(super) fn header(
    tensors: impl Iterator<Item = (String, Dtype, Vec<usize>)>,
    texts: BTreeMap<String, String>,
    alignment: usize,
) -> Result<Vec<u8>, String> {
    let mut end = 0;
    let tensors = tensors.map(|(name, dtype, shape)| {
        let start = end;
        end += shape.iter().product::<usize>() * dtype.bitsize() / 8;
        let info = TensorInfo {
            dtype,
            shape,
            data_offsets: (start, end),
        };
        (name, info)
    });
    let header = Header {
        texts,
        tensors: tensors.collect(),
    };
    let mut header = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
    let length = (LENGTH_BYTES + header.len()).next_multiple_of(alignment) - LENGTH_BYTES;
    header.resize(length, b' ');
    Ok(header)
}

/// The header, whose entries always have the same order: the texts by their keys, then the tensors as in the file.
struct Header {
    texts: BTreeMap<String, String>,
    tensors: Vec<(String, TensorInfo)>,
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + self.tensors.len()))?;
        map.serialize_entry("__metadata__", &self.texts)?;
        for (name, info) in &self.tensors {
            map.serialize_entry(name, info)?;
        }
        map.end()
    }
}
