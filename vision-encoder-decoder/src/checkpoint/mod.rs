//! Reading and writing checkpoints.
//!
//! A format gives the tensors of a file by name, a [`TensorSource`]; a table ties those names to the
//! parameters of a Burn module, [`WeightNames`]; [`load_weights`] brings them together. Formats know
//! nothing of models, models know nothing of formats.
//!
//! Tensors are read a block at a time straight into the memory that the parameter keeps, so a load
//! never holds more than the model and a block.

mod error;
mod folder;
mod load;
mod names;
mod packed_form;
mod place;
mod placement;
mod precision;
mod read;
mod write;

pub use error::LoadError;
pub use folder::Pretrained;
pub use load::load_weights;
pub use names::{WeightGroup, WeightNames};
pub use precision::{Precision, UnknownPrecision};
#[cfg(feature = "pytorch")]
pub use read::PyTorchFile;
pub use read::{
    FlaxFile, Layout, PackedFile, SafetensorsFile, ShardedWeights, TensorInfo, TensorSource,
    WeightsForm, open_weights,
};
pub use write::{SaveError, SaveOptions, StagedFolder, save_packed_weights, save_weights};

#[cfg(feature = "hub")]
pub(crate) use error::list;
pub(crate) use read::shard_numbers;
