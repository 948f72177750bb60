use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo as Entry};

use super::bytes::Bytes;
use super::element::Element;
use super::header::RawHeader;
use super::{TensorInfo, TensorSource};
use crate::{Layout, LoadError, Precision};

/// A safetensors file. Only its header is kept in memory; tensors are read from the file when they are
/// requested.
#[derive(Debug)]
pub struct SafetensorsFile {
    bytes: Bytes,
    /// Bytes before the first tensor.
    data_start: u64,
    tensors: HashMap<String, Entry>,
}

const FORMAT: &str = "safetensors";
/// The file begins with the length of the header, in this many bytes.
const LENGTH_BYTES: u64 = 8;
/// The format's limit to the length of the header.
const LONGEST_HEADER: u64 = 100_000_000;

impl SafetensorsFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`LoadError`] if the file can't be read, is damaged, is truncated or has two tensors of the same
    /// name.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::new(Bytes::open(path.as_ref(), FORMAT)?)
    }

    /// Reads the header of a file in memory, such as an embedded one. `origin` is its name in messages.
    ///
    /// # Errors
    /// [`LoadError`] if the file is damaged, is truncated or has two tensors of the same name.
    pub fn from_memory(
        origin: &str,
        bytes: impl Into<Cow<'static, [u8]>>,
    ) -> Result<Self, LoadError> {
        Self::new(Bytes::from_memory(origin, FORMAT, bytes.into()))
    }

    fn new(bytes: Bytes) -> Result<Self, LoadError> {
        let Header {
            metadata,
            data_start,
        } = Header::read(&bytes)?;
        let tensors = metadata
            .tensors()
            .into_iter()
            .map(|(name, entry)| (name, entry.clone()))
            .collect();
        Ok(Self {
            bytes,
            data_start,
            tensors,
        })
    }
}

/// The beginning of a safetensors file: the list of its tensors.
pub(super) struct Header {
    pub(super) metadata: Metadata,
    /// Bytes before the first tensor.
    pub(super) data_start: u64,
}

impl Header {
    /// Reads and checks the header.
    pub(super) fn read(bytes: &Bytes) -> Result<Self, LoadError> {
        let length = bytes.length();
        let mut header_length = [0; LENGTH_BYTES as usize];
        bytes.read(0, &mut header_length)?;
        let header_length = u64::from_le_bytes(header_length);
        if header_length > LONGEST_HEADER || LENGTH_BYTES + header_length > length {
            return Err(bytes.damaged(format!(
                "its header claims {header_length} bytes, but the file has {length}"
            )));
        }
        let mut header = vec![0; header_length as usize];
        bytes.read(LENGTH_BYTES, &mut header)?;
        let header: RawHeader =
            serde_json::from_slice(&header).map_err(|error| bytes.damaged(error.to_string()))?;
        if let Some(name) = header.tensors.duplicate() {
            return Err(LoadError::DuplicateTensor {
                origin: bytes.origin().into(),
                name: name.into(),
            });
        }
        let mut tensors: Vec<(String, Entry)> = header
            .tensors
            .0
            .into_iter()
            .map(|(name, entry)| (name, entry.into()))
            .collect();
        tensors.sort_by_key(|(_, entry)| entry.data_offsets);
        // This checks that sizes match types and shapes, and that tensors neither overlap nor leave gaps.
        let metadata = Metadata::new(Some(header.texts), tensors)
            .map_err(|error| bytes.damaged(error.to_string()))?;
        let data_start = LENGTH_BYTES + header_length;
        let promised = metadata.data_len() as u64;
        if data_start.checked_add(promised) != Some(length) {
            return Err(bytes.damaged(format!(
                "it has {length} bytes, but its header of {data_start} bytes promises {promised} more"
            )));
        }
        Ok(Self {
            metadata,
            data_start,
        })
    }
}

impl TensorSource for SafetensorsFile {
    fn origin(&self) -> &str {
        self.bytes.origin()
    }

    fn names(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo<'_>> {
        let entry = self.tensors.get(name)?;
        Some(TensorInfo {
            shape: &entry.shape,
            layout: Layout::OutputFirst,
            precision: element(entry.dtype).map_or(Precision::F32, Element::precision),
        })
    }

    fn read(&self, name: &str, start: usize, values: &mut [f32]) -> Result<(), LoadError> {
        let entry = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        let element = element(entry.dtype).ok_or_else(|| LoadError::DType {
            origin: self.origin().into(),
            name: name.into(),
            found: format!("{:?}", entry.dtype),
        })?;
        let start = entry.data_offsets.0 + start * element.size();
        element.read(&self.bytes, self.data_start + start as u64, values)
    }
}

/// The type of values that can be read; `None` for all others.
fn element(dtype: Dtype) -> Option<Element> {
    match dtype {
        Dtype::F64 => Some(Element::F64),
        Dtype::F32 => Some(Element::F32),
        Dtype::F16 => Some(Element::F16),
        Dtype::BF16 => Some(Element::BF16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    fn open(header: &str, data: usize) -> Result<SafetensorsFile, LoadError> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend((0..data).map(|i| i as u8));
        SafetensorsFile::from_memory("test", bytes)
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
                r#"{"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]}}"#,
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
            let error = SafetensorsFile::from_memory("test", bytes).unwrap_err();
            assert!(matches!(error, LoadError::Format { .. }));
        }
    }

    #[test]
    fn two_tensors_of_the_same_name_are_refused() {
        let tensor = r#""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
        let error = open(&format!("{{{tensor},{tensor}}}"), 8).unwrap_err();
        assert!(matches!(error, LoadError::DuplicateTensor { name, .. } if name == "a"));
    }

    #[test]
    fn every_float_type_is_read_from_any_element() {
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
