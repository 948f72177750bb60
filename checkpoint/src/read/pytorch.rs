use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pytorch_reader::{DType, PytorchError, PytorchReader, Tensor};
use rayon::prelude::*;
use whole_files::limits;
use zip::ZipArchive;

use super::bytes::open;
use super::element::Element;
use super::pickle::Allowance;
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
        let (file, length) = open(path)?;
        check(file, length)
            .map_err(|source| match source.kind() {
                io::ErrorKind::UnexpectedEof => damaged(&origin, "it ends too early".into()),
                _ => LoadError::Io {
                    path: path.to_owned(),
                    source,
                },
            })?
            .map_err(|reason| damaged(&origin, reason))?;
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
        let tensors = reader.into_tensors();
        if tensors.len() > limits::TENSORS {
            let (found, most) = (tensors.len(), limits::TENSORS);
            return Err(damaged(
                &origin,
                format!("it has {found} tensors, more than {most}"),
            ));
        }
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

    /// Tensors can only be read whole, so blocks of two tensors in turn would read both again and again.
    fn are_equal(&self, first: &str, second: &str) -> Result<bool, LoadError> {
        let ((a, of_a), (b, of_b)) = (self.find(first)?, self.find(second)?);
        if a.shape() != b.shape() {
            return Ok(false);
        }
        let (a, b) = (self.bytes(a)?, self.bytes(b)?);
        let blocks = a
            .par_chunks(PART_VALUES * of_a.size())
            .zip(b.par_chunks(PART_VALUES * of_b.size()));
        Ok(blocks.all(|(a, b)| {
            let mut values = [a.len() / of_a.size(), b.len() / of_b.size()].map(|n| vec![0.0; n]);
            of_a.convert(a, &mut values[0]);
            of_b.convert(b, &mut values[1]);
            values[0] == values[1]
        }))
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

/// Checks that the memory that a file's pickles ask for is in proportion to the file.
///
/// # Errors
/// The reason, if it is not, or if the file is of a form that is not read; or an error of the operating system.
fn check(mut file: File, length: u64) -> io::Result<Result<(), String>> {
    let mut start = Vec::new();
    file.by_ref().take(START_BYTES).read_to_end(&mut start)?;
    file.rewind()?;
    let mut allowance = Allowance::of_file(length);
    let mut reader = BufReader::new(file);
    // As its reader decides: a name in a TAR archive may begin with the same two letters.
    if [b"PK\x03\x04", b"PK\x05\x06"]
        .iter()
        .any(|magic| start.starts_with(*magic))
    {
        return check_zip(reader, &mut allowance);
    }
    let rest = start.get(TAR_MAGIC..).unwrap_or_default();
    if rest.starts_with(b"ustar") {
        return check_tar(reader, &mut allowance);
    }
    // A pickle alone, or several one after another: the number, the version, the system, the tensors and the order of
    // their values, which follow.
    let is_legacy = LEGACY_NUMBERS.iter().any(|number| {
        let start = &start[..start.len().min(64)];
        start.windows(number.len()).any(|part| part == *number)
    });
    for _ in 0..if is_legacy { 5 } else { 1 } {
        if let Err(reason) = allowance.take(&mut reader)? {
            return Ok(Err(reason));
        }
    }
    Ok(Ok(()))
}

/// The bytes at the start that show a file's form.
const START_BYTES: u64 = 512;
/// Where a TAR archive says that it is one.
const TAR_MAGIC: usize = 257;
/// The number at the start of the files that PyTorch wrote before version 1.6, as bytes and as text.
const LEGACY_NUMBERS: [&[u8]; 2] = [
    b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19",
    b"119547037146038801333356",
];

/// The same for a ZIP archive, whose pickles may be compressed.
fn check_zip(reader: BufReader<File>, allowance: &mut Allowance) -> io::Result<Result<(), String>> {
    // An archive that is damaged is refused by its reader, which can say why.
    let Ok(mut archive) = ZipArchive::new(reader) else {
        return Ok(Ok(()));
    };
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index(index) else {
            continue;
        };
        if !entry.name().is_ok_and(|name| name.ends_with("data.pkl")) {
            continue;
        }
        match allowance.take(&mut BufReader::new(entry)) {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => return Ok(Err(reason)),
            // The compressed bytes are damaged, but the reader may use another entry.
            Err(_) => {}
        }
    }
    Ok(Ok(()))
}

/// The same for a TAR archive, whose entries have pickles and bytes in turn.
fn check_tar(reader: BufReader<File>, allowance: &mut Allowance) -> io::Result<Result<(), String>> {
    // An archive that is damaged is refused by its reader, which can say why.
    let mut archive = tar::Archive::new(reader);
    let Ok(entries) = archive.entries() else {
        return Ok(Ok(()));
    };
    for entry in entries {
        let Ok(entry) = entry else {
            return Ok(Ok(()));
        };
        let Ok(path) = entry.path() else {
            return Ok(Ok(()));
        };
        let name = path.to_string_lossy().trim_start_matches("./").to_owned();
        let mut entry = BufReader::new(entry);
        let result = match name.as_str() {
            "sys_info" | "pickle" => allowance.take(&mut entry)?,
            "tensors" => take_tensors(&mut entry, allowance)?,
            "storages" => take_storages(&mut entry, allowance)?,
            _ => Ok(()),
        };
        if result.is_err() {
            return Ok(result);
        }
    }
    Ok(Ok(()))
}

/// Passes over a number of tensors, each a pickle, the number of its dimensions in 8 bytes, and two integers of 8 bytes for
/// each dimension and one more.
fn take_tensors(
    entry: &mut impl BufRead,
    allowance: &mut Allowance,
) -> io::Result<Result<(), String>> {
    // The number of tensors.
    let mut result = allowance.take(entry)?;
    while result.is_ok() && !entry.fill_buf()?.is_empty() {
        result = allowance.take(entry)?;
        let mut dimensions = [0; 8];
        if entry.read_exact(&mut dimensions).is_err() {
            break;
        }
        let [a, b, c, d, ..] = dimensions;
        let dimensions = u64::from(u32::from_le_bytes([a, b, c, d]));
        if dimensions > limits::DIMENSIONS as u64 {
            break; // its reader ends here too
        }
        io::copy(&mut entry.take(16 * dimensions + 8), &mut io::sink())?;
    }
    Ok(result)
}

/// Passes over a number of storages, each a pickle that says the type, a number of values and the values, and over a
/// pickle with parts of them.
fn take_storages(
    entry: &mut impl BufRead,
    allowance: &mut Allowance,
) -> io::Result<Result<(), String>> {
    if let Err(reason) = allowance.take(entry)? {
        return Ok(Err(reason));
    }
    loop {
        let class = match allowance.take_with_class(entry)? {
            Ok(class) => class,
            Err(reason) => return Ok(Err(reason)),
        };
        let Some(size) = class.as_deref().and_then(storage_size) else {
            return Ok(match entry.fill_buf()?.is_empty() {
                true => Ok(()),
                false => Err("its storages are not as PyTorch writes them".into()),
            });
        };
        let mut count = [0; 8];
        if entry.read_exact(&mut count).is_err() {
            return Ok(Ok(()));
        }
        let bytes = u64::from_le_bytes(count).saturating_mul(size);
        if io::copy(&mut entry.take(bytes), &mut io::sink())? < bytes {
            return Ok(Ok(()));
        }
    }
}

/// Bytes of a value of a storage.
fn storage_size(class: &str) -> Option<u64> {
    Some(match class {
        "DoubleStorage" | "LongStorage" => 8,
        "FloatStorage" | "IntStorage" => 4,
        "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
        "CharStorage" | "ByteStorage" | "BoolStorage" => 1,
        _ => return None,
    })
}

fn damaged(origin: &str, reason: String) -> LoadError {
    LoadError::Format {
        origin: origin.into(),
        format: FORMAT,
        reason: shortened(reason),
    }
}

/// The reader's reason, which may describe any value of the file.
fn shortened(reason: String) -> String {
    const LONGEST: usize = 300;
    match reason.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason,
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
