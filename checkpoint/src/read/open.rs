use std::path::Path;

use super::{FlaxFile, PackedFile, SafetensorsFile, ShardedWeights, TensorSource};
use crate::form::WeightsForm;
use crate::{LoadError, complete_interrupted_save};

impl WeightsForm {
    /// Opens a folder's weights in this form.
    ///
    /// # Errors
    /// [`LoadError`] if a file can't be read or is damaged, or if this program was built without the
    /// feature that reads this form.
    pub fn open(self, folder: &Path) -> Result<Box<dyn TensorSource>, LoadError> {
        let path = folder.join(self.file());
        Ok(match self {
            Self::Safetensors => Box::new(SafetensorsFile::open(path)?),
            Self::ShardedSafetensors => Box::new(ShardedWeights::open(path, |shard| {
                SafetensorsFile::open(shard)
            })?),
            #[cfg(feature = "pytorch")]
            Self::PyTorch => Box::new(super::PyTorchFile::open(path)?),
            #[cfg(feature = "pytorch")]
            Self::ShardedPyTorch => Box::new(ShardedWeights::open(path, |shard| {
                super::PyTorchFile::open(shard)
            })?),
            #[cfg(not(feature = "pytorch"))]
            Self::PyTorch | Self::ShardedPyTorch => return Err(LoadError::WithoutPyTorch { path }),
            Self::Flax => Box::new(FlaxFile::open(path)?),
            Self::Packed => Box::new(PackedFile::open(path)?),
        })
    }
}

/// Opens the weights of a checkpoint folder, in the first form of [`WeightsForm::ALL`] that it has, after completing a
/// save that was interrupted.
///
/// # Errors
/// [`LoadError::NoWeights`] if the folder has no weights. Another [`LoadError`] if a file can't be read
/// or is damaged, or if this program was built without the feature that reads its form.
pub fn open_weights(folder: impl AsRef<Path>) -> Result<Box<dyn TensorSource>, LoadError> {
    let folder = folder.as_ref();
    complete_interrupted_save(folder);
    match WeightsForm::ALL
        .into_iter()
        .find(|form| folder.join(form.file()).exists())
    {
        Some(form) => form.open(folder),
        None => Err(no_weights(folder)),
    }
}

/// The error for a folder that has no weights.
fn no_weights(folder: &Path) -> LoadError {
    let folder = folder.to_owned();
    match whole_files::interrupted_commit(&folder) {
        Some(staged) => LoadError::Interrupted { folder, staged },
        None => LoadError::NoWeights { folder },
    }
}
