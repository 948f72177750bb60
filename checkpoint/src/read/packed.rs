use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use burn::tensor::{AllocationProperty, DType, TensorData};
use packed_linear::{Format, PackedShape};
use rayon::prelude::*;
use safetensors::Dtype;

use super::bytes::Bytes;
use super::element::Element;
use super::safetensors::Header;
use super::{TensorInfo, TensorSource};
use crate::{Layout, LoadError, Precision, packed_form};

/// A file of packed weights, `model.packed.safetensors`.
///
/// After [`open`](Self::open), tensors are read from the file into memory. After
/// [`map_unchanging`](Self::map_unchanging), packed tensors are used in the mapped file without a copy:
/// loading takes almost no time, and processes share the memory.
pub struct PackedFile {
    bytes: Bytes,
    tensors: HashMap<String, Entry>,
}

/// Bytes that are read at a time.
const BLOCK_BYTES: usize = 1 << 22;

struct Entry {
    shape: Vec<usize>,
    packed: Option<PackedShape>,
    /// Position in the file, in bytes.
    range: Range<u64>,
}

impl PackedFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`LoadError`] if the file can't be read, is damaged, has two tensors of the same name or has another
    /// version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::of(Bytes::open(path.as_ref(), packed_form::FORMAT)?)
    }

    /// Maps a file into memory and reads its header.
    ///
    /// The file must not be changed in place while this value or a tensor of it is in use: if a program
    /// truncates the file, the system stops this process with a bus error. Renaming another file to its
    /// name, as this crate does when it saves, is safe.
    ///
    /// # Errors
    /// [`LoadError`] if the file can't be mapped, is damaged, has two tensors of the same name or has another
    /// version.
    pub fn map_unchanging(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::of(Bytes::mapped(path.as_ref(), packed_form::FORMAT)?)
    }

    fn of(bytes: Bytes) -> Result<Self, LoadError> {
        let header = Header::read(&bytes)?;
        let tensors = entries(&header).map_err(|reason| bytes.damaged(reason))?;
        Ok(Self { bytes, tensors })
    }

    /// The format of most packed tensors; `None` if no tensor is packed.
    pub fn format(&self) -> Option<Format> {
        let packed = self.tensors.values().filter_map(|entry| entry.packed);
        let mut counts = HashMap::new();
        for shape in packed {
            *counts.entry(shape.format()).or_insert(0) += 1;
        }
        let most = counts
            .into_iter()
            .max_by_key(|(format, count)| (*count, format.to_string()));
        most.map(|(format, _)| format)
    }

    /// Reads the words of a tensor in blocks, on all threads.
    fn read_words(
        &self,
        shape: PackedShape,
        entry: &Entry,
    ) -> Result<burn::tensor::Bytes, LoadError> {
        if entry.range.end > self.bytes.length() {
            return Err(self.bytes.damaged("it ends too early"));
        }
        let words = vec![0_u32; shape.panels() * shape.panel_words()];
        let mut bytes = burn::tensor::Bytes::from_elems(words);
        let blocks = bytes.par_chunks_mut(BLOCK_BYTES).enumerate();
        blocks.try_for_each(|(block, bytes)| {
            let start = entry.range.start + (block * BLOCK_BYTES) as u64;
            self.bytes.read(start, bytes)
        })?;
        Ok(bytes)
    }

    fn entry(&self, name: &str) -> Result<&Entry, LoadError> {
        self.tensors.get(name).ok_or_else(|| self.missing(name))
    }
}

/// The tensors of a file, or the reason why it is damaged.
fn entries(header: &Header) -> Result<HashMap<String, Entry>, String> {
    if cfg!(target_endian = "big") {
        return Err("packed weights are little-endian, but this machine is big-endian".into());
    }
    let Header {
        metadata,
        data_start,
    } = header;
    let start = *data_start;
    let empty = HashMap::new();
    let texts = metadata.metadata().as_ref().unwrap_or(&empty);
    match texts.get(packed_form::VERSION_KEY).map(String::as_str) {
        Some(packed_form::VERSION) => {}
        Some(other) => {
            return Err(format!(
                "it has version {other}, but this program reads version {}; pack the model again",
                packed_form::VERSION
            ));
        }
        None => return Err("its metadata have no version of packed weights".into()),
    }
    let tensors = metadata.tensors().into_iter().map(|(name, info)| {
        let [from, to] =
            [info.data_offsets.0, info.data_offsets.1].map(|offset| start + offset as u64);
        let range = from..to;
        let entry = match info.dtype {
            Dtype::F32 => Entry {
                shape: info.shape.clone(),
                packed: None,
                range,
            },
            Dtype::U32 => packed_entry(texts.get(&name), &info.shape, range)
                .map_err(|reason| format!("tensor {name}: {reason}"))?,
            other => {
                return Err(format!(
                    "tensor {name} is stored as {other:?}, expected U32 or F32"
                ));
            }
        };
        Ok((name, entry))
    });
    tensors.collect()
}

fn packed_entry(
    text: Option<&String>,
    words: &[usize],
    range: Range<u64>,
) -> Result<Entry, String> {
    let text = text.ok_or("the metadata have no packed shape for it")?;
    let shape: PackedShape = text
        .parse()
        .map_err(|error: packed_linear::PackedShapeError| error.to_string())?;
    if words != [shape.panels(), shape.panel_words()] {
        return Err(format!(
            "its words have shape {words:?}, which does not fit {shape}"
        ));
    }
    if !range.start.is_multiple_of(packed_form::ALIGNMENT as u64) {
        return Err(format!(
            "it begins at byte {}, which is not a multiple of {}",
            range.start,
            packed_form::ALIGNMENT
        ));
    }
    Ok(Entry {
        shape: shape.dims(),
        packed: Some(shape),
        range,
    })
}

impl TensorSource for PackedFile {
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
            precision: Precision::F32,
        })
    }

    fn read(&self, name: &str, start: usize, values: &mut [f32]) -> Result<(), LoadError> {
        let entry = self.entry(name)?;
        let beyond = || self.bytes.damaged(format!("tensor {name} ends too early"));
        let Some(shape) = entry.packed else {
            let (start, end) = (4 * start as u64, 4 * (start + values.len()) as u64);
            if end > entry.range.end - entry.range.start {
                return Err(beyond());
            }
            return Element::F32.read(&self.bytes, entry.range.start + start, values);
        };
        let mut panel_bytes = vec![0; 4 * shape.panel_words()];
        let panel_values = shape.inputs() * PackedShape::PANEL_OUTPUTS;
        let mut filled = 0;
        while filled < values.len() {
            let (panel, skipped) = (
                (start + filled) / panel_values,
                (start + filled) % panel_values,
            );
            if panel >= shape.panels() {
                return Err(beyond());
            }
            let start = entry.range.start + (panel * panel_bytes.len()) as u64;
            self.bytes.read(start, &mut panel_bytes)?;
            let (words, _) = panel_bytes.as_chunks::<4>();
            let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
            let rows = shape.unpack_panel(panel, &words);
            let rows = rows.get(skipped..).ok_or_else(beyond)?;
            if rows.is_empty() {
                return Err(beyond());
            }
            let length = rows.len().min(values.len() - filled);
            values[filled..filled + length].copy_from_slice(&rows[..length]);
            filled += length;
        }
        Ok(())
    }

    fn is_packed(&self, name: &str) -> bool {
        self.tensors
            .get(name)
            .is_some_and(|entry| entry.packed.is_some())
    }

    fn packed(&self, name: &str) -> Result<Option<(PackedShape, TensorData)>, LoadError> {
        let entry = self.entry(name)?;
        let Some(shape) = entry.packed else {
            return Ok(None);
        };
        let bytes = match self.bytes.part_of_map(entry.range.clone()) {
            Some(bytes) => burn::tensor::Bytes::from_shared(bytes, AllocationProperty::File),
            None => self.read_words(shape, entry)?,
        };
        let dims = [shape.panels(), shape.panel_words()];
        let words = TensorData::try_from_bytes(bytes, dims, DType::U32)
            .map_err(|error| self.bytes.damaged(format!("tensor {name}: {error}")))?;
        Ok(Some((shape, words)))
    }
}
