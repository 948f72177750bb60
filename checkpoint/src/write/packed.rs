use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use safetensors::Dtype;

use super::SaveError;
use super::parameters::{Entry, Sink, Wanted, visit};
use super::safetensors::{SafetensorsWriter, header};
use super::save::List;
use crate::{Precision, WeightNames, packed_form};

/// Writes the parameters of a module to `model.packed.safetensors` in a folder that has no weights yet.
/// Packed weights are written as they are, all other parameters in `f32`. [`PackedFile`](crate::PackedFile)
/// reads the file.
///
/// # Errors
/// [`SaveError`] if the file exists or can't be written, a parameter can't be read from its device, or the
/// table does not list a parameter.
pub fn save_packed_weights<M: Module>(
    module: &M,
    names: &WeightNames<'_>,
    folder: impl AsRef<Path>,
) -> Result<(), SaveError> {
    let path = folder.as_ref().join(packed_form::FILE);
    let mut list = List(Vec::new());
    visit(module, names, &mut list)?;
    // Packed tensors come first: each fills whole cache lines, so all of them are aligned.
    let mut entries = list.0;
    entries.sort_by_key(|entry| entry.packed.is_none());
    let version = packed_form::VERSION.to_owned();
    let mut texts = BTreeMap::from([(packed_form::VERSION_KEY.to_owned(), version)]);
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

/// Writes either the packed parameters or all others.
struct Parameters {
    writer: SafetensorsWriter,
    packed: bool,
    /// The name of the tensor that is being written.
    name: String,
}

impl Sink for Parameters {
    fn begin(&mut self, entry: Entry) -> Result<Wanted, SaveError> {
        self.name = entry.name;
        Ok(match (entry.packed.is_some(), self.packed) {
            (true, true) => Wanted::Words,
            (false, false) => Wanted::Values,
            _ => Wanted::Nothing,
        })
    }

    fn values(&mut self, values: &[f32]) -> Result<(), SaveError> {
        self.writer.write(&self.name, values)
    }

    fn words(&mut self, words: &[u32]) -> Result<(), SaveError> {
        self.writer.write_words(words)
    }
}
