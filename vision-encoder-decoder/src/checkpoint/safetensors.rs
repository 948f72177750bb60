use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::TensorSource;
use crate::LoadError;

/// A safetensors file, of which only the header is in memory.
#[derive(Debug)]
pub struct SafetensorsFile {
    origin: String,
    storage: Storage,
    /// Bytes before the first tensor.
    data_start: u64,
    tensors: HashMap<String, TensorInfo>,
}

#[derive(Debug)]
enum Storage {
    File(Mutex<File>),
    Memory(&'static [u8]),
}

/// The length of the header comes first, in this many bytes.
const LENGTH_BYTES: u64 = 8;
/// The format's own limit to the header.
const LONGEST_HEADER: u64 = 100_000_000;
/// Bytes read at a time.
const BLOCK: usize = 1 << 18;

impl SafetensorsFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`LoadError`] if the file can't be read, is damaged or is cut short.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let io = |source| LoadError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let origin = path.display().to_string();
        Self::new(origin, Storage::File(Mutex::new(file)), length)
    }

    /// Reads the header of a file that is in memory, such as an embedded one. `origin` names it in
    /// messages.
    ///
    /// # Errors
    /// [`LoadError`], likewise.
    pub fn from_static(origin: &str, bytes: &'static [u8]) -> Result<Self, LoadError> {
        Self::new(origin.into(), Storage::Memory(bytes), bytes.len() as u64)
    }

    fn new(origin: String, storage: Storage, length: u64) -> Result<Self, LoadError> {
        let mut file = Self {
            origin,
            storage,
            data_start: 0,
            tensors: HashMap::new(),
        };
        let mut header_length = [0; LENGTH_BYTES as usize];
        file.read_bytes(0, &mut header_length)?;
        let header_length = u64::from_le_bytes(header_length);
        if header_length > LONGEST_HEADER || LENGTH_BYTES + header_length > length {
            return Err(file.damaged(format!(
                "its header claims {header_length} bytes of {length}"
            )));
        }
        let mut header = vec![0; header_length as usize];
        file.read_bytes(LENGTH_BYTES, &mut header)?;
        // Checks that sizes fit types and shapes and that tensors neither overlap nor leave gaps.
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|error| file.damaged(error.to_string()))?;
        file.data_start = LENGTH_BYTES + header_length;
        let expected = file.data_start + metadata.data_len() as u64;
        if length != expected {
            return Err(file.damaged(format!(
                "it has {length} bytes where its header promises {expected}"
            )));
        }
        file.tensors = metadata
            .tensors()
            .into_iter()
            .map(|(name, info)| (name, info.clone()))
            .collect();
        Ok(file)
    }

    fn damaged(&self, reason: String) -> LoadError {
        LoadError::Format {
            origin: self.origin.clone(),
            reason,
        }
    }

    fn read_bytes(&self, start: u64, bytes: &mut [u8]) -> Result<(), LoadError> {
        let result = match &self.storage {
            Storage::File(file) => {
                // A panic elsewhere leaves a file position, which is set anew here.
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(start))
                    .and_then(|_| file.read_exact(bytes))
            }
            Storage::Memory(memory) => memory
                .get(start as usize..)
                .and_then(|rest| rest.get(..bytes.len()))
                .map(|found| bytes.copy_from_slice(found))
                .ok_or_else(|| ErrorKind::UnexpectedEof.into()),
        };
        result.map_err(|source| match source.kind() {
            ErrorKind::UnexpectedEof => self.damaged("it ends too early".into()),
            _ => LoadError::Io {
                path: PathBuf::from(&self.origin),
                source,
            },
        })
    }
}

impl TensorSource for SafetensorsFile {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn names(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|info| info.shape.as_slice())
    }

    fn read(&self, name: &str, start: usize, values: &mut [f32]) -> Result<(), LoadError> {
        let info = self
            .tensors
            .get(name)
            .ok_or_else(|| LoadError::MissingTensor {
                origin: self.origin.clone(),
                name: name.into(),
            })?;
        match info.dtype {
            Dtype::F32 => self.read_as(info, start, values, f32::from_le_bytes),
            Dtype::F64 => self.read_as(info, start, values, |b| f64::from_le_bytes(b) as f32),
            Dtype::F16 => self.read_as(info, start, values, |b| f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => self.read_as(info, start, values, |b| bf16::from_le_bytes(b).to_f32()),
            other => Err(LoadError::DType {
                origin: self.origin.clone(),
                name: name.into(),
                found: format!("{other:?}"),
            }),
        }
    }
}

impl SafetensorsFile {
    fn read_as<const SIZE: usize>(
        &self,
        info: &TensorInfo,
        start: usize,
        values: &mut [f32],
        convert: impl Fn([u8; SIZE]) -> f32,
    ) -> Result<(), LoadError> {
        let mut bytes = vec![0; BLOCK.min(values.len() * SIZE)];
        let mut position = self.data_start + (info.data_offsets.0 + start * SIZE) as u64;
        for block in values.chunks_mut(BLOCK / SIZE) {
            let bytes = &mut bytes[..block.len() * SIZE];
            self.read_bytes(position, bytes)?;
            position += bytes.len() as u64;
            let (elements, _) = bytes.as_chunks::<SIZE>();
            for (value, element) in block.iter_mut().zip(elements) {
                *value = convert(*element);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(header: &str, data: usize) -> Result<SafetensorsFile, LoadError> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend((0..data).map(|i| i as u8));
        SafetensorsFile::from_static("test", bytes.leak())
    }

    #[test]
    fn damaged_files_are_refused() {
        for (header, data) in [
            ("", 0),
            ("[]", 0),
            (
                r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
                7,
            ),
            (
                r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
                9,
            ),
            (
                r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
                8,
            ),
            (
                r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
                8,
            ),
            (
                r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}"#,
                8,
            ),
            (
                r#"{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}"#,
                8,
            ),
        ] {
            let error = open(header, data).unwrap_err();
            assert!(matches!(error, LoadError::Format { .. }), "{header}");
        }
        for bytes in [&b""[..], b"1234567", b"\xff\xff\xff\xff\xff\xff\xff\xff{}"] {
            let error = SafetensorsFile::from_static("test", bytes).unwrap_err();
            assert!(matches!(error, LoadError::Format { .. }));
        }
    }

    #[test]
    fn every_float_type_is_read_from_any_element_on() {
        let header = r#"{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},
            "d":{"dtype":"F64","shape":[1],"data_offsets":[4,12]},
            "i":{"dtype":"I32","shape":[1],"data_offsets":[12,16]}}"#;
        let file = open(header, 16).unwrap();
        let mut value = [0.0];
        file.read("h", 1, &mut value).unwrap();
        assert_eq!(value[0], f16::from_le_bytes([2, 3]).to_f32());
        file.read("d", 0, &mut value).unwrap();
        assert_eq!(
            value[0],
            f64::from_le_bytes([4, 5, 6, 7, 8, 9, 10, 11]) as f32
        );
        let error = file.read("i", 0, &mut value).unwrap_err();
        assert!(error.to_string().contains("stored as I32"));
    }
}
