//! Reading weights.

mod bytes;
mod element;
mod flax;
mod header;
mod mapped;
mod more_rows;
mod open;
mod packed;
#[cfg(feature = "pytorch")]
mod pickle;
#[cfg(feature = "pytorch")]
mod pytorch;
mod safetensors;
mod shards;
mod source;
mod unique;

pub use flax::FlaxFile;
pub use more_rows::{MoreRows, NewRow};
pub use open::open_weights;
pub use packed::PackedFile;
#[cfg(feature = "pytorch")]
pub use pytorch::PyTorchFile;
pub use safetensors::SafetensorsFile;
pub use shards::ShardedWeights;
pub use source::{TensorInfo, TensorSource};
