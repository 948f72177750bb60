mod parse;

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use self::parse::{Array, Parser};
use super::bytes::Bytes;
use super::element::Element;
use super::{Layout, TensorInfo, TensorSource};
use crate::LoadError;
use crate::checkpoint::Precision;

/// Weights that Flax wrote: `flax_model.msgpack`, of which only the table of tensors is in memory.
///
/// The file is a tree of msgpack maps with arrays at its leaves. A leaf's path, joined by dots, is the
/// tensor's name, and the last part is PyTorch's: `weight` for `kernel`, `scale` and `embedding`.
/// Kernels keep their [layout](Layout::OutputLast).
#[derive(Debug)]
pub struct FlaxFile {
    bytes: Bytes,
    tensors: HashMap<String, Tensor>,
}

#[derive(Debug)]
struct Tensor {
    array: Array,
    layout: Layout,
}

const FORMAT: &str = "Flax msgpack";

impl FlaxFile {
    /// Opens a file and walks through it, without reading the arrays.
    ///
    /// # Errors
    /// [`LoadError`] if the file can't be read, is damaged, is cut short or has a tensor twice.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::new(Bytes::open(path.as_ref(), FORMAT)?)
    }

    /// Walks through a file that is in memory. `origin` names it in messages.
    ///
    /// # Errors
    /// [`LoadError`], likewise.
    pub fn from_memory(
        origin: &str,
        bytes: impl Into<Cow<'static, [u8]>>,
    ) -> Result<Self, LoadError> {
        Self::new(Bytes::from_memory(origin, FORMAT, bytes.into()))
    }

    fn new(bytes: Bytes) -> Result<Self, LoadError> {
        let mut tensors = HashMap::new();
        for (mut path, array) in Parser::new(&bytes).parse()? {
            let layout = match path.last().map(String::as_str) {
                Some("kernel") => Layout::OutputLast,
                _ => Layout::OutputFirst,
            };
            if let Some(leaf) = path.last_mut()
                && matches!(leaf.as_str(), "kernel" | "scale" | "embedding")
            {
                *leaf = "weight".into();
            }
            let name = path.join(".");
            if tensors
                .insert(name.clone(), Tensor { array, layout })
                .is_some()
            {
                return Err(LoadError::DuplicateTensor {
                    origin: bytes.origin().into(),
                    name,
                });
            }
        }
        Ok(Self { bytes, tensors })
    }
}

impl TensorSource for FlaxFile {
    fn origin(&self) -> &str {
        self.bytes.origin()
    }

    fn names(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo<'_>> {
        let tensor = self.tensors.get(name)?;
        let element = tensor.array.element.as_ref();
        Some(TensorInfo {
            shape: &tensor.array.shape,
            layout: tensor.layout,
            precision: element.map_or(Precision::F32, |element| element.precision()),
        })
    }

    fn read(&self, name: &str, start: usize, values: &mut [f32]) -> Result<(), LoadError> {
        let tensor = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        let array = &tensor.array;
        let element = array.element.clone().map_err(|found| LoadError::DType {
            origin: self.origin().into(),
            name: name.into(),
            found,
        })?;
        array.read(&self.bytes, element, start, values)
    }
}

impl Array {
    /// Reads elements from `start` on, over the borders of chunks.
    fn read(
        &self,
        bytes: &Bytes,
        element: Element,
        start: usize,
        mut values: &mut [f32],
    ) -> Result<(), LoadError> {
        let mut first = 0; // of the chunk, in elements
        for chunk in &self.chunks {
            let skipped = start.saturating_sub(first).min(chunk.elements);
            let wanted = values.len().min(chunk.elements - skipped);
            let (now, rest) = values.split_at_mut(wanted);
            let position = chunk.position + (skipped * element.size()) as u64;
            element.read(bytes, position, now)?;
            values = rest;
            first += chunk.elements;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
