use crate::Precision;

/// How weights are saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveOptions {
    /// The precision that weights are stored in.
    pub precision: Precision,
    /// The most bytes of tensors in one file. The tensors of a larger model are distributed over several
    /// files. A single tensor is never divided.
    pub max_shard_size: u64,
}

impl Default for SaveOptions {
    /// `f32`, in files of up to 5 GB.
    fn default() -> Self {
        Self {
            precision: Precision::F32,
            max_shard_size: 5_000_000_000,
        }
    }
}
