//! The forms of weights in a checkpoint folder, and the names of their files.

use crate::packed_form;

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
    /// Every form, the preferred one first.
    pub const ALL: [Self; 6] = [
        Self::Safetensors,
        Self::ShardedSafetensors,
        Self::PyTorch,
        Self::ShardedPyTorch,
        Self::Flax,
        Self::Packed,
    ];

    /// The file that shows that a folder has weights in this form: the weights or their index.
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

    /// Whether this program was built with the feature that reads this form.
    pub fn is_readable(self) -> bool {
        cfg!(feature = "pytorch") || !matches!(self, Self::PyTorch | Self::ShardedPyTorch)
    }
}

/// The index of a shard and the number of shards, as they are written in a file name such as
/// `model-00001-of-00003.safetensors`, whose stem is `model` and whose extension is `safetensors`.
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
