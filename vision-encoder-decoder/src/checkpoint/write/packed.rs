use std::collections::HashMap;
use std::path::Path;

use burn::module::Module;
use safetensors::Dtype;

use super::SaveError;
use super::parameters::{Entry, Sink, Wanted, visit};
use super::safetensors::{SafetensorsWriter, header};
use super::save::List;
use crate::checkpoint::{Precision, WeightNames, packed_form};

/// Writes the parameters of a module into a folder that has no weights yet, packed weights as they
/// are packed: `model.packed.safetensors`, which is mapped when it is loaded.
///
/// # Errors
/// [`SaveError`], naming the file or the tensor.
pub fn save_packed_weights<M: Module>(
    module: &M,
    names: &WeightNames<'_>,
    folder: impl AsRef<Path>,
) -> Result<(), SaveError> {
    let path = folder.as_ref().join(packed_form::FILE);
    let mut list = List(Vec::new());
    visit(module, names, &mut list)?;
    // Packed tensors first: they are whole lines of a cache each, so all of them begin at one.
    let mut entries = list.0;
    entries.sort_by_key(|entry| entry.packed.is_none());
    let version = packed_form::VERSION.to_owned();
    let mut texts = HashMap::from([(packed_form::VERSION_KEY.to_owned(), version)]);
    texts.extend(entries.iter().filter_map(|entry| {
        let shape = entry.packed?;
        Some((entry.name.clone(), shape.to_string()))
    }));
    let tensors = entries.into_iter().map(|entry| match entry.packed {
        Some(shape) => {
            let words = vec![shape.panels(), shape.panel_words()];
            (entry.name, Dtype::U32, words)
        }
        None => (entry.name, Dtype::F32, entry.shape),
    });
    let header = header(tensors, texts, packed_form::ALIGNMENT);
    let mut sink = Parameters {
        writer: SafetensorsWriter::with_header(&path, header, Precision::F32)?,
        packed: true,
        name: String::new(),
    };
    visit(module, names, &mut sink)?;
    sink.packed = false;
    visit(module, names, &mut sink)?;
    sink.writer.finish()
}

/// Writes the packed parameters or the others.
struct Parameters {
    writer: SafetensorsWriter,
    packed: bool,
    /// The tensor that is being written.
    name: String,
}

impl Sink for Parameters {
    fn begin(&mut self, entry: Entry) -> Result<Wanted, SaveError> {
        self.name = entry.name;
        Ok(match (entry.packed.is_some(), self.packed) {
            (true, true) => Wanted::Words,
            (false, false) => Wanted::Numbers,
            _ => Wanted::Nothing,
        })
    }

    fn numbers(&mut self, numbers: &[f32]) -> Result<(), SaveError> {
        self.writer.write(&self.name, numbers)
    }

    fn words(&mut self, words: &[u32]) -> Result<(), SaveError> {
        self.writer.write_words(words)
    }
}
