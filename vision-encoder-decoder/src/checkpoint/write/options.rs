use crate::checkpoint::Precision;

/// How to save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveOptions {
    /// How weights are stored.
    pub precision: Precision,
    /// Most bytes of tensors in one file; a model that is larger is spread over several. One tensor
    /// is never divided.
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
