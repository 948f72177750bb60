use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use burn::tensor::{AllocationProperty, DType, TensorData};
use packed_linear::{Format, PackedShape};
use safetensors::Dtype;

use super::bytes::Bytes;
use super::element::Element;
use super::safetensors::Header;
use super::{Layout, TensorInfo, TensorSource};
use crate::LoadError;
use crate::checkpoint::{Precision, packed_form};

/// A file of packed weights, mapped into memory: packed tensors are used where they are.
pub struct PackedFile {
    bytes: Bytes,
    tensors: HashMap<String, Entry>,
}

struct Entry {
    shape: Vec<usize>,
    packed: Option<PackedShape>,
    place: Range<usize>,
}

impl PackedFile {
    /// Maps a file and reads its header.
    ///
    /// # Errors
    /// [`LoadError`] if the file can't be read, is damaged, has a tensor twice or is of another
    /// version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let bytes = Bytes::mapped(path.as_ref(), packed_form::FORMAT)?;
        let header = Header::read(&bytes)?;
        let tensors = entries(&header).map_err(|reason| bytes.damaged(reason))?;
        Ok(Self { bytes, tensors })
    }

    /// How most of its packed tensors are packed.
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

    fn entry(&self, name: &str) -> Result<&Entry, LoadError> {
        self.tensors.get(name).ok_or_else(|| self.missing(name))
    }
}

/// The tensors of a file, or what is wrong with it.
fn entries(header: &Header) -> Result<HashMap<String, Entry>, String> {
    if cfg!(target_endian = "big") {
        return Err("words of packed weights are little-endian, unlike this machine".into());
    }
    let Header {
        metadata,
        data_start,
    } = header;
    // Of a file that is mapped.
    let start = *data_start as usize;
    let none = HashMap::new();
    let texts = metadata.metadata().as_ref().unwrap_or(&none);
    match texts.get(packed_form::VERSION_KEY).map(String::as_str) {
        Some(packed_form::VERSION) => {}
        Some(other) => {
            return Err(format!(
                "it is of version {other}, and this program reads {}; pack the model again",
                packed_form::VERSION
            ));
        }
        None => return Err("its metadata do not say that it is one".into()),
    }
    let tensors = metadata.tensors().into_iter().map(|(name, info)| {
        let place = start + info.data_offsets.0..start + info.data_offsets.1;
        let entry = match info.dtype {
            Dtype::F32 => Entry {
                shape: info.shape.clone(),
                packed: None,
                place,
            },
            Dtype::U32 => packed_entry(texts.get(&name), &info.shape, place)
                .map_err(|reason| format!("tensor {name}: {reason}"))?,
            other => return Err(format!("tensor {name} is stored as {other:?}")),
        };
        Ok((name, entry))
    });
    tensors.collect()
}

fn packed_entry(
    text: Option<&String>,
    words: &[usize],
    place: Range<usize>,
) -> Result<Entry, String> {
    let text = text.ok_or("nothing says what its words mean")?;
    let shape: PackedShape = text
        .parse()
        .map_err(|error: packed_linear::PackedShapeError| error.to_string())?;
    if words != [shape.panels(), shape.panel_words()] {
        return Err(format!("{words:?} are not the words of {shape}"));
    }
    if !place.start.is_multiple_of(packed_form::ALIGNMENT) {
        return Err(format!(
            "it begins at byte {}, no multiple of {}",
            place.start,
            packed_form::ALIGNMENT
        ));
    }
    Ok(Entry {
        shape: shape.dims(),
        packed: Some(shape),
        place,
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
            if 4 * (start + values.len()) > entry.place.len() {
                return Err(beyond());
            }
            let start = entry.place.start + 4 * start;
            return Element::F32.read(&self.bytes, start as u64, values);
        };
        let panel_bytes = 4 * shape.panel_words();
        let panel_values = shape.inputs() * PackedShape::PANEL_OUTPUTS;
        let mut filled = 0;
        while filled < values.len() {
            let (panel, skipped) = (
                (start + filled) / panel_values,
                (start + filled) % panel_values,
            );
            let start = entry.place.start + panel * panel_bytes;
            let words = self.bytes.part_of_map(start..start + panel_bytes);
            let words = words
                .filter(|_| start < entry.place.end)
                .ok_or_else(beyond)?;
            let (words, _) = words.as_chunks::<4>();
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

    fn packed(&self, name: &str) -> Result<Option<(PackedShape, TensorData)>, LoadError> {
        let entry = self.entry(name)?;
        let Some(shape) = entry.packed else {
            return Ok(None);
        };
        let bytes = self.bytes.part_of_map(entry.place.clone());
        let bytes = bytes.ok_or_else(|| self.bytes.damaged("it ends too early"))?;
        let bytes = burn::tensor::Bytes::from_shared(bytes, AllocationProperty::File);
        let dims = [shape.panels(), shape.panel_words()];
        let words = TensorData::try_from_bytes(bytes, dims, DType::U32)
            .map_err(|error| self.bytes.damaged(format!("tensor {name}: {error}")))?;
        Ok(Some((shape, words)))
    }
}
