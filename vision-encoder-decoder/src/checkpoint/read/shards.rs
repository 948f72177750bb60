use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path};

use serde::Deserialize;

use super::unique::Entries;
use super::{TensorInfo, TensorSource};
use crate::LoadError;

/// Weights that are spread over several files, of which an index says who has what: Hugging Face's
/// `model.safetensors.index.json` and `pytorch_model.bin.index.json`.
pub struct ShardedWeights {
    /// The index.
    origin: String,
    shards: Vec<Box<dyn TensorSource>>,
    /// In which shard a tensor is.
    places: HashMap<String, usize>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: Entries<String>,
}

impl ShardedWeights {
    /// Opens an index and the files that it names, each with `open`.
    ///
    /// # Errors
    /// [`LoadError`] if the index is damaged, names a file outside its folder or one that is not
    /// there, or does not say of every tensor where it is; and those of `open`.
    pub fn open<S: TensorSource + 'static>(
        index: impl AsRef<Path>,
        open: impl Fn(&Path) -> Result<S, LoadError>,
    ) -> Result<Self, LoadError> {
        let path = index.as_ref();
        let text = fs::read_to_string(path).map_err(|source| LoadError::Io {
            path: path.to_owned(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::read(&path.display().to_string(), &text, |file| {
            let shard = folder.join(file);
            if !shard.exists() {
                return Err(damaged(
                    &path.display().to_string(),
                    format!("it names {file}, which is not there"),
                ));
            }
            Ok(Box::new(open(&shard)?))
        })
    }

    /// Reads the text of an index; `open` gets the names of the files.
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
        let mut places = HashMap::new();
        for (name, file) in index.weight_map.0 {
            if !is_plain(&file) {
                return Err(damaged(format!(
                    "tensor {name} is in {file:?}, expected a file of the same folder"
                )));
            }
            let known = files.iter().position(|known| *known == file);
            let place = known.unwrap_or_else(|| {
                files.push(file);
                files.len() - 1
            });
            places.insert(name, place);
        }
        let shards = files
            .iter()
            .map(|file| open(file))
            .collect::<Result<Vec<_>, _>>()?;
        let weights = Self {
            origin: origin.into(),
            shards,
            places,
        };
        weights.check()?;
        Ok(weights)
    }

    /// Checks that index and shards say the same.
    fn check(&self) -> Result<(), LoadError> {
        for (name, place) in &self.places {
            if self.shards[*place].info(name).is_none() {
                let shard = self.shards[*place].origin();
                let reason = format!("{shard} has no tensor {name}, which it names");
                return Err(damaged(&self.origin, reason));
            }
        }
        for (number, shard) in self.shards.iter().enumerate() {
            for name in shard.names() {
                match self.places.get(name) {
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
        let place = self.places.get(name).ok_or_else(|| self.missing(name))?;
        Ok(self.shards[*place].as_ref())
    }
}

/// The number of a shard and how many there are, of a name such as
/// `model-00001-of-00003.safetensors` with the stem `model` and the extension `safetensors`.
pub(crate) fn shard_numbers<'f>(
    file: &'f str,
    stem: &str,
    extension: &str,
) -> Option<(&'f str, &'f str)> {
    let middle = file.strip_prefix(stem)?.strip_suffix(extension)?;
    let (number, count) = middle
        .strip_prefix('-')?
        .strip_suffix('.')?
        .split_once("-of-")?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (is_number(number) && is_number(count)).then_some((number, count))
}

fn damaged(origin: &str, reason: String) -> LoadError {
    LoadError::Format {
        origin: origin.into(),
        format: "index of weights",
        reason,
    }
}

/// Whether a name is that of a file, with no way out of the folder.
fn is_plain(file: &str) -> bool {
    let mut components = Path::new(file).components();
    // Separators of other systems are no part of a name either, wherever the index was made.
    matches!(components.next(), Some(Component::Normal(_)))
        && !file.contains(['/', '\\', ':', '\0'])
}

impl TensorSource for ShardedWeights {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn names(&self) -> Vec<&str> {
        self.places.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo<'_>> {
        self.shards[*self.places.get(name)?].info(name)
    }

    fn read(&self, name: &str, start: usize, values: &mut [f32]) -> Result<(), LoadError> {
        self.shard(name)?.read(name, start, values)
    }

    fn read_all(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        self.shard(name)?.read_all(name)
    }
}
