use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Component, Path};

use serde::Deserialize;
use whole_files::limits;

use super::source::are_equal_in_blocks;
use super::unique::Entries;
use super::{TensorInfo, TensorSource};
use crate::LoadError;

/// Weights in several files, the shards, with an index that says which file has which tensor: Hugging
/// Face's `model.safetensors.index.json` and `pytorch_model.bin.index.json`.
pub struct ShardedWeights {
    /// The path of the index.
    origin: String,
    shards: Vec<Box<dyn TensorSource>>,
    /// The index in `shards` of the file that has a tensor.
    shard_of_tensor: HashMap<String, usize>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with the key \"weight_map\"")]
struct Index {
    weight_map: Entries<String>,
}

impl ShardedWeights {
    /// Opens an index and the files that it names, each with `open`.
    ///
    /// # Errors
    /// [`LoadError`] if the index can't be read or is damaged, if it names a file that does not exist or is
    /// outside its folder, if index and files do not list the same tensors, or if `open` fails.
    pub fn open<S: TensorSource + 'static>(
        index: impl AsRef<Path>,
        open: impl Fn(&Path) -> Result<S, LoadError>,
    ) -> Result<Self, LoadError> {
        let path = index.as_ref();
        let text = whole_files::read_text(path, limits::JSON)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::read(&path.display().to_string(), &text, |file| {
            let shard = folder.join(file);
            if !shard.exists() {
                return Err(damaged(
                    &path.display().to_string(),
                    format!("it names {file}, which does not exist"),
                ));
            }
            Ok(Box::new(open(&shard)?))
        })
    }

    /// Reads the text of an index, and opens each file by its name.
    fn read(
        origin: &str,
        text: &str,
        open: impl Fn(&str) -> Result<Box<dyn TensorSource>, LoadError>,
    ) -> Result<Self, LoadError> {
        let damaged = |reason| damaged(origin, reason);
        let index: Index =
            serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        if let Some(name) = index.weight_map.duplicate() {
            return Err(LoadError::DuplicateTensor {
                origin: origin.into(),
                name: name.into(),
            });
        }
        let mut files: Vec<String> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut shard_of_tensor = HashMap::new();
        for (name, file) in index.weight_map.0 {
            if !is_plain(&file) {
                return Err(damaged(format!(
                    "tensor {name} is in {file:?}, expected a file of the same folder"
                )));
            }
            let place = match places.entry(file) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    files.push(new.key().clone());
                    *new.insert(files.len() - 1)
                }
            };
            shard_of_tensor.insert(name, place);
        }
        if files.len() > limits::SHARDS {
            let (found, most) = (files.len(), limits::SHARDS);
            return Err(damaged(format!("it names {found} files, more than {most}")));
        }
        let shards = files
            .iter()
            .map(|file| open(file))
            .collect::<Result<Vec<_>, _>>()?;
        let weights = Self {
            origin: origin.into(),
            shards,
            shard_of_tensor,
        };
        weights.check()?;
        Ok(weights)
    }

    /// Checks that index and shards list the same tensors.
    fn check(&self) -> Result<(), LoadError> {
        for (name, place) in &self.shard_of_tensor {
            if self.shards[*place].info(name).is_none() {
                let shard = self.shards[*place].origin();
                let reason =
                    format!("it names tensor {name} of {shard}, which has no tensor of that name");
                return Err(damaged(&self.origin, reason));
            }
        }
        for (number, shard) in self.shards.iter().enumerate() {
            for name in shard.names() {
                match self.shard_of_tensor.get(name) {
                    Some(place) if *place == number => {}
                    Some(_) => {
                        return Err(LoadError::DuplicateTensor {
                            origin: self.origin.clone(),
                            name: name.into(),
                        });
                    }
                    None => {
                        let shard = shard.origin();
                        let reason = format!("it does not name tensor {name}, which {shard} has");
                        return Err(damaged(&self.origin, reason));
                    }
                }
            }
        }
        Ok(())
    }

    fn shard(&self, name: &str) -> Result<&dyn TensorSource, LoadError> {
        let place = self
            .shard_of_tensor
            .get(name)
            .ok_or_else(|| self.missing(name))?;
        Ok(self.shards[*place].as_ref())
    }
}

fn damaged(origin: &str, reason: String) -> LoadError {
    LoadError::Format {
        origin: origin.into(),
        format: "index of weights",
        reason,
    }
}

/// Whether a text is the name of a file in the same folder, and not a path that leads out of it.
fn is_plain(file: &str) -> bool {
    let mut components = Path::new(file).components();
    // Separators of other systems are not allowed either: the index may have been written on any system.
    matches!(components.next(), Some(Component::Normal(_)))
        && !file.contains(['/', '\\', ':', '\0'])
}

impl TensorSource for ShardedWeights {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn names(&self) -> Vec<&str> {
        self.shard_of_tensor.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo<'_>> {
        self.shards[*self.shard_of_tensor.get(name)?].info(name)
    }

    fn read(&self, name: &str, start: usize, values: &mut [f32]) -> Result<(), LoadError> {
        self.shard(name)?.read(name, start, values)
    }

    fn read_all(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        self.shard(name)?.read_all(name)
    }

    fn are_equal(&self, first: &str, second: &str) -> Result<bool, LoadError> {
        let place = |name: &str| self.shard_of_tensor.get(name);
        match place(first) == place(second) {
            true => self.shard(first)?.are_equal(first, second),
            false => are_equal_in_blocks(self, first, second),
        }
    }
}
