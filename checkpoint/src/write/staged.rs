use std::path::Path;

use whole_files::Rules;

use super::SaveError;
use crate::files;
use crate::form::{WeightsForm, shard_numbers};

/// A temporary folder in which a checkpoint is written before it is moved to its destination.
///
/// Files are written to [`path`](Self::path) with [`write_file`]. The destination does not change before
/// [`commit`](Self::commit). If the destination does not exist, it appears with all files at once. If it
/// exists, it has all old files, all new files or no weights at every moment, even if the program or the machine
/// stops: the file that shows that it has weights is deleted first and written last. What was interrupted is
/// completed by the next `StagedFolder` for the same destination, or by [`complete_interrupted_save`]. The destination's other files are kept, except for
/// weights in other forms, and for files of another tokenizer or another preprocessing if new ones come.
///
/// While a value exists, no other can be made for the same destination, in any process. A folder that is dropped
/// without being committed is deleted.
#[derive(Debug)]
pub struct StagedFolder(whole_files::StagedFolder);

const RULES: Rules = Rules {
    marks: is_marker,
    replaced: is_replaced,
};

impl StagedFolder {
    /// Creates a temporary folder, in `destination` if that exists and beside it otherwise. Before that, it completes
    /// a commit to the destination that was interrupted.
    ///
    /// # Errors
    /// - [`SaveError::Busy`] at once if there is such a folder for the destination already, here or in another
    ///   process.
    /// - [`SaveError::Io`] if the destination is a file, or the temporary folder can't be created.
    /// - [`SaveError::Unfinished`] if an interrupted commit can't be completed.
    pub fn new(destination: impl AsRef<Path>) -> Result<Self, SaveError> {
        Ok(Self(whole_files::StagedFolder::new(destination, RULES)?))
    }

    /// The folder to write the files to.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Moves the files to the destination.
    ///
    /// # Errors
    /// [`SaveError::Io`] if the destination is unchanged, [`SaveError::Unfinished`] if it has changed.
    pub fn commit(self) -> Result<(), SaveError> {
        Ok(self.0.commit()?)
    }
}

/// Completes a save to a folder that was interrupted when all new files were on the disk, if there was one and no program
/// is saving to the folder now. [`open_weights`](crate::open_weights) does this. Call it before other files of a
/// checkpoint are read, so that all are new.
///
/// Nothing happens if the files may not be moved. Then the folder has all old files or no weights.
pub fn complete_interrupted_save(folder: impl AsRef<Path>) {
    // What the folder has then is found out by whoever reads it.
    let _ = whole_files::complete_interrupted_commit(folder, RULES);
}

/// Whether the file shows that a folder has weights: it is one of the forms or an index.
fn is_marker(file: &str) -> bool {
    WeightsForm::ALL.iter().any(|form| form.file() == file)
}

/// Whether a file would not belong to the new files: weights beside new weights, a part of a tokenizer beside another
/// tokenizer, or the configuration of preprocessing that readers prefer to the new one.
fn is_replaced(file: &str, new: &[String]) -> bool {
    let has = |known: &[&str]| new.iter().any(|new| known.contains(&new.as_str()));
    let is_side_file = files::TOKENIZER.contains(&file) && has(files::SUFFICIENT_TOKENIZER)
        || file == files::PROCESSOR_CONFIG && has(&[files::PREPROCESSOR_CONFIG]);
    is_side_file || is_weights(file) && new.iter().any(|new| is_marker(new))
}

/// Whether the file has weights in one of the forms, or is an index of such files.
fn is_weights(file: &str) -> bool {
    let is_shard = |stem, extension| shard_numbers(file, stem, extension).is_some();
    is_marker(file) || is_shard("model", "safetensors") || is_shard("pytorch_model", "bin")
}

/// Creates a file and waits until it is on the disk.
///
/// # Errors
/// [`SaveError::Io`] if it exists or can't be written.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    whole_files::write_new(path, bytes).map_err(SaveError::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_not_belong_to_the_new_files_is_replaced() {
        let replaced = |file: &str, new: &str| is_replaced(file, &[new.to_owned()]);
        for (file, new) in [
            ("pytorch_model-00001-of-00002.bin", "model.safetensors"),
            ("tokenizer.json", "sentencepiece.bpe.model"),
            ("special_tokens_map.json", "tokenizer.json"),
            ("processor_config.json", "preprocessor_config.json"),
        ] {
            assert!(replaced(file, new), "{file}, {new}");
            assert!(!replaced(file, "config.json"), "{file}");
        }
        assert!(!replaced("README.md", "model.safetensors"));
    }

    #[test]
    fn weights_and_their_indices_are_recognised() {
        for name in [
            "model.safetensors",
            "model-00001-of-00003.safetensors",
            "model.safetensors.index.json",
            "pytorch_model-00001-of-00002.bin",
            "flax_model.msgpack",
        ] {
            assert!(is_weights(name), "{name}");
        }
        for name in [
            "my-model.safetensors",
            "model-best.safetensors",
            "optimizer.bin",
            "x",
        ] {
            assert!(!is_weights(name), "{name}");
        }
    }
}
