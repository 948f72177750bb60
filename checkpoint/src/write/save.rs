use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use serde_json::json;

use super::parameters::{Entry, Sink, Wanted, visit};
use super::safetensors::SafetensorsWriter;
use super::staged::write_file;
use super::{SaveError, SaveOptions};
use crate::{WeightNames, WeightsForm};

/// Writes the parameters of a module to a folder that has no weights yet: to `model.safetensors`, or to
/// shards with an index if they are larger than [`max_shard_size`](SaveOptions::max_shard_size).
///
/// Each tensor is saved under the first name that the table has for it, in PyTorch's layout. Values are
/// read from the device a block at a time.
///
/// # Errors
/// [`SaveError`] if a file exists or can't be written, a value is too large for the precision, a parameter
/// can't be read from its device, or the table does not list a parameter.
pub fn save_weights<M: Module>(
    module: &M,
    names: &WeightNames<'_>,
    folder: impl AsRef<Path>,
    options: &SaveOptions,
) -> Result<(), SaveError> {
    let folder = folder.as_ref();
    let mut list = List(Vec::new());
    visit(module, names, &mut list)?;
    let shards = shards(list.0, options);
    let files = file_names(shards.len());
    if shards.len() > 1 {
        write_index(folder, &shards, &files, options)?;
    }
    let mut files = Files {
        folder,
        options,
        waiting: files
            .into_iter()
            .zip(shards)
            .collect::<Vec<_>>()
            .into_iter(),
        current: None,
        left: 0,
        name: String::new(),
    };
    visit(module, names, &mut files)?;
    files.finish_file()
}

/// Lists the parameters.
pub(super) struct List(pub(super) Vec<Entry>);

impl Sink for List {
    fn begin(&mut self, entry: Entry) -> Result<Wanted, SaveError> {
        self.0.push(entry);
        Ok(Wanted::Nothing)
    }

    fn values(&mut self, _values: &[f32]) -> Result<(), SaveError> {
        Ok(())
    }
}

/// Writes the files one after another.
struct Files<'a> {
    folder: &'a Path,
    options: &'a SaveOptions,
    waiting: std::vec::IntoIter<(String, Vec<Entry>)>,
    current: Option<SafetensorsWriter>,
    /// Tensors of the current file that have not been written yet.
    left: usize,
    /// The name of the tensor that is being written.
    name: String,
}

impl Sink for Files<'_> {
    fn begin(&mut self, entry: Entry) -> Result<Wanted, SaveError> {
        if self.left == 0 {
            self.finish_file()?;
            if let Some((file, entries)) = self.waiting.next() {
                let path = self.folder.join(file);
                let writer = SafetensorsWriter::create(&path, &entries, self.options.precision)?;
                self.current = Some(writer);
                self.left = entries.len();
            }
        }
        self.left -= 1;
        self.name = entry.name;
        Ok(Wanted::Values)
    }

    fn values(&mut self, values: &[f32]) -> Result<(), SaveError> {
        match &mut self.current {
            Some(writer) => writer.write(&self.name, values),
            None => Ok(()),
        }
    }
}

impl Files<'_> {
    fn finish_file(&mut self) -> Result<(), SaveError> {
        self.current
            .take()
            .map_or(Ok(()), SafetensorsWriter::finish)
    }
}

fn bytes(entry: &Entry, options: &SaveOptions) -> u64 {
    (entry.shape.iter().product::<usize>() * options.precision.size()) as u64
}

/// Distributes tensors over files in their order, with as many in each file as its size allows.
fn shards(entries: Vec<Entry>, options: &SaveOptions) -> Vec<Vec<Entry>> {
    let mut shards = vec![Vec::new()];
    let mut size = 0;
    for entry in entries {
        let bytes = bytes(&entry, options);
        if size + bytes > options.max_shard_size && size > 0 {
            shards.push(Vec::new());
            size = 0;
        }
        size += bytes;
        if let Some(shard) = shards.last_mut() {
            shard.push(entry);
        }
    }
    shards
}

/// Hugging Face's names of the files.
fn file_names(shards: usize) -> Vec<String> {
    match shards {
        1 => vec![WeightsForm::Safetensors.file().into()],
        _ => (1..=shards)
            .map(|number| format!("model-{number:05}-of-{shards:05}.safetensors"))
            .collect(),
    }
}

fn write_index(
    folder: &Path,
    shards: &[Vec<Entry>],
    files: &[String],
    options: &SaveOptions,
) -> Result<(), SaveError> {
    let size: u64 = shards
        .iter()
        .flatten()
        .map(|entry| bytes(entry, options))
        .sum();
    let places: BTreeMap<&str, &str> = shards
        .iter()
        .zip(files)
        .flat_map(|(shard, file)| {
            shard
                .iter()
                .map(|entry| (entry.name.as_str(), file.as_str()))
        })
        .collect();
    let index = json!({"metadata": {"total_size": size}, "weight_map": places});
    write_file(
        &folder.join(WeightsForm::ShardedSafetensors.file()),
        format!("{index:#}\n").as_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_filled_in_order_and_a_larger_tensor_has_a_shard_of_its_own() {
        let entries: Vec<Entry> = [1, 2, 3, 9, 1]
            .into_iter()
            .map(|size| Entry {
                packed: None,
                name: size.to_string(),
                shape: vec![size],
            })
            .collect();
        let options = SaveOptions {
            max_shard_size: 12,
            ..SaveOptions::default()
        };
        let sizes: Vec<Vec<usize>> = shards(entries, &options)
            .iter()
            .map(|shard| shard.iter().map(|entry| entry.shape[0]).collect())
            .collect();
        assert_eq!(sizes, [vec![1, 2], vec![3], vec![9], vec![1]]);
    }
}
