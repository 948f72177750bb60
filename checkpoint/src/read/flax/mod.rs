mod parse;

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use self::parse::{Array, Parser};
use super::bytes::Bytes;
use super::element::Element;
use super::{TensorInfo, TensorSource};
use crate::{Layout, LoadError, Precision};

/// A file of weights that Flax wrote: `flax_model.msgpack`. Only the list of its tensors is kept in memory;
/// tensors are read from the file when they are requested.
///
/// The file is a tree of msgpack maps with arrays at its leaves. The name of a tensor is the path of its
/// leaf, joined by dots. Its last part is replaced by PyTorch's `weight` if it is `kernel`, `scale` or
/// `embedding`. Kernels have the layout [`OutputLast`](Layout::OutputLast).
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
    /// Opens a file and reads its structure, without the values of the arrays.
    ///
    /// # Errors
    /// [`LoadError`] if the file can't be read, is damaged, is truncated or has two tensors of the same
    /// name.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::new(Bytes::open(path.as_ref(), FORMAT)?)
    }

    /// Reads the structure of a file in memory. `origin` is its name in messages.
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
        let mut tensors = HashMap::new();
        for (path, array) in Parser::new(&bytes).parse()? {
            let (layer, leaf) = match path.rsplit_once('.') {
                Some((layer, leaf)) => (Some(layer), leaf),
                None => (None, path.as_str()),
            };
            let layout = match leaf {
                "kernel" => Layout::OutputLast,
                _ => Layout::OutputFirst,
            };
            let leaf = match leaf {
                "kernel" | "scale" | "embedding" => "weight",
                other => other,
            };
            let name = match layer {
                Some(layer) => format!("{layer}.{leaf}"),
                None => leaf.into(),
            };
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
    /// Reads elements, beginning with element `start`, from all chunks that hold them.
    fn read(
        &self,
        bytes: &Bytes,
        element: Element,
        start: usize,
        mut values: &mut [f32],
    ) -> Result<(), LoadError> {
        let mut first = 0; // index of the chunk's first element
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
