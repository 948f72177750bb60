use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use burn::module::Module;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::SaveError;
use super::parameters::{Entry, Sink, Wanted, visit};
use super::save::List;
use crate::checkpoint::{WeightNames, packed_form};

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
    let (packed, ordinary): (Vec<_>, Vec<_>) =
        list.0.into_iter().partition(|entry| entry.packed.is_some());
    let header = header(&packed, &ordinary).map_err(|reason| SaveError::Header {
        path: path.clone(),
        reason,
    })?;
    let file = File::create_new(&path).map_err(SaveError::io(&path))?;
    let mut writer = Writer {
        path: &path,
        file: BufWriter::with_capacity(1 << 20, file),
        packed: true,
    };
    writer.bytes(&(header.len() as u64).to_le_bytes())?;
    writer.bytes(&header)?;
    visit(module, names, &mut writer)?;
    writer.packed = false;
    visit(module, names, &mut writer)?;
    let Writer { file, .. } = writer;
    file.into_inner()
        .map_err(|error| error.into_error())
        .and_then(|file| file.sync_all())
        .map_err(SaveError::io(&path))
}

/// The header, as long as it takes for tensors to begin at a line of a cache.
fn header(packed: &[Entry], ordinary: &[Entry]) -> Result<Vec<u8>, String> {
    let mut end = 0;
    let mut tensor = |name: &str, dtype, shape: Vec<usize>| {
        let start = end;
        end += 4 * shape.iter().product::<usize>();
        let info = TensorInfo {
            dtype,
            shape,
            data_offsets: (start, end),
        };
        (name.to_owned(), info)
    };
    let mut tensors = Vec::new();
    let version = packed_form::VERSION.to_owned();
    let mut texts = HashMap::from([(packed_form::VERSION_KEY.to_owned(), version)]);
    for entry in packed {
        if let Some(shape) = entry.packed {
            let dims = vec![shape.panels(), shape.panel_words()];
            tensors.push(tensor(&entry.name, Dtype::U32, dims));
            texts.insert(entry.name.clone(), shape.to_string());
        }
    }
    for entry in ordinary {
        tensors.push(tensor(&entry.name, Dtype::F32, entry.shape.clone()));
    }
    let metadata = Metadata::new(Some(texts), tensors).map_err(|error| error.to_string())?;
    let mut header = serde_json::to_vec(&metadata).map_err(|error| error.to_string())?;
    let length = (8 + header.len()).next_multiple_of(packed_form::ALIGNMENT) - 8;
    header.resize(length, b' ');
    Ok(header)
}

/// Writes the packed parameters or the others.
struct Writer<'a> {
    path: &'a Path,
    file: BufWriter<File>,
    packed: bool,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), SaveError> {
        self.file.write_all(bytes).map_err(SaveError::io(self.path))
    }
}

impl Sink for Writer<'_> {
    fn begin(&mut self, entry: Entry) -> Result<Wanted, SaveError> {
        Ok(match (entry.packed.is_some(), self.packed) {
            (true, true) => Wanted::Words,
            (false, false) => Wanted::Numbers,
            _ => Wanted::Nothing,
        })
    }

    fn numbers(&mut self, numbers: &[f32]) -> Result<(), SaveError> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        self.bytes(&bytes)
    }

    fn words(&mut self, words: &[u32]) -> Result<(), SaveError> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.bytes(&bytes)
    }
}
