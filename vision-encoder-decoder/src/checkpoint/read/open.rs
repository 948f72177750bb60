use std::path::Path;

use super::{FlaxFile, PackedFile, SafetensorsFile, ShardedWeights, TensorSource};
use crate::LoadError;
use crate::checkpoint::packed_form;

/// The forms in which a folder may hold weights, in the order in which they are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightsForm {
    /// `model.safetensors`.
    Safetensors,
    /// `model.safetensors.index.json` and the files it names.
    ShardedSafetensors,
    /// `pytorch_model.bin`; needs the feature `pytorch`.
    PyTorch,
    /// `pytorch_model.bin.index.json` and the files it names; needs the feature `pytorch`.
    ShardedPyTorch,
    /// `flax_model.msgpack`.
    Flax,
    /// `model.packed.safetensors`, packed for inference.
    Packed,
}

impl WeightsForm {
    /// Every form, the preferred first.
    pub const ALL: [Self; 6] = [
        Self::Safetensors,
        Self::ShardedSafetensors,
        Self::PyTorch,
        Self::ShardedPyTorch,
        Self::Flax,
        Self::Packed,
    ];

    /// The file that shows that a folder has this form.
    pub fn file(self) -> &'static str {
        match self {
            Self::Safetensors => "model.safetensors",
            Self::ShardedSafetensors => "model.safetensors.index.json",
            Self::PyTorch => "pytorch_model.bin",
            Self::ShardedPyTorch => "pytorch_model.bin.index.json",
            Self::Flax => "flax_model.msgpack",
            Self::Packed => packed_form::FILE,
        }
    }

    /// Whether this program was built to read it.
    pub fn is_readable(self) -> bool {
        cfg!(feature = "pytorch") || !matches!(self, Self::PyTorch | Self::ShardedPyTorch)
    }

    /// Opens weights of this form.
    ///
    /// # Errors
    /// [`LoadError`], naming the file and what is wrong with it.
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

/// Opens the weights of a checkpoint folder, in the first form that it has.
///
/// # Errors
/// [`LoadError::NoWeights`] if it has none, and those of the form.
pub fn open_weights(folder: impl AsRef<Path>) -> Result<Box<dyn TensorSource>, LoadError> {
    let folder = folder.as_ref();
    match WeightsForm::ALL
        .into_iter()
        .find(|form| folder.join(form.file()).exists())
    {
        Some(form) => form.open(folder),
        None => Err(LoadError::NoWeights {
            folder: folder.to_owned(),
        }),
    }
}
