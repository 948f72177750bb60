//! Reads and writes the weights of any [Burn](burn) module.
//!
//! A file is a [`TensorSource`]: it returns tensors by name. A table, [`WeightNames`], ties those names to
//! the parameters of a module and declares the layout of each parameter. [`load_weights`] fills the module
//! from the source, and [`save_weights`] writes it to a file. Formats know nothing of models, and models
//! know nothing of formats.
//!
//! | | read | written |
//! |---|---|---|
//! | safetensors, whole or in shards | [`SafetensorsFile`], [`ShardedWeights`] | [`save_weights`] |
//! | PyTorch pickles, whole or in shards | `PyTorchFile` (feature `pytorch`); code in a pickle is never run | |
//! | Flax's msgpack | [`FlaxFile`] | |
//! | packed weights, which can be mapped into memory | [`PackedFile`] | [`save_packed_weights`] |
//!
//! Tensors are read block by block into the memory that the parameter keeps, so loading needs memory only
//! for the model and a block. [`MoreRows`] adds rows to tables meanwhile, for new tokens. The module [`files`] says which files make up a Hugging Face folder.
//! [`locate_checkpoint`] finds such a folder on disk or, with the feature `hub`, on the Hugging Face Hub.
//! [`StagedFolder`] writes a folder completely or not at all, and [`FolderState`] tells whether that happened while a
//! folder was read.
//!
//! ```
//! use burn::module::Module;
//! use burn::nn::{Linear, LinearConfig};
//! use burn::tensor::Device;
//! use checkpoint::{
//!     Layout, SaveOptions, WeightGroup, WeightNames, load_weights, open_weights, save_weights,
//! };
//!
//! #[derive(Module, Debug)]
//! struct Classifier {
//!     layer: Linear,
//! }
//!
//! const NAMES: WeightNames<'_> = WeightNames {
//!     groups: &[WeightGroup {
//!         module: "",
//!         checkpoint: &["classifier."],
//!         names: &[
//!             ("layer.weight", "weight", Layout::OutputLast), // `[input, output]`, as in Burn's `Linear`
//!             ("layer.bias", "bias", Layout::OutputFirst),
//!         ],
//!     }],
//!     ignored: &[],
//! };
//!
//! let device = Device::flex();
//! let fresh = || Classifier { layer: LinearConfig::new(8, 3).init(&device) };
//! let folder = tempfile::tempdir().unwrap();
//! save_weights(&fresh(), &NAMES, folder.path(), &SaveOptions::default()).unwrap();
//!
//! let weights = open_weights(folder.path())?;
//! assert_eq!(weights.info("classifier.weight").unwrap().shape, [3, 8]);
//! let model = load_weights(fresh(), weights.as_ref(), &NAMES)?;
//! assert_eq!(model.layer.weight.dims(), [8, 3]);
//! # Ok::<(), checkpoint::LoadError>(())
//! ```

mod error;
pub mod files;
mod folder_state;
mod form;
mod load;
mod locate;
mod names;
mod packed_form;
mod place;
mod placement;
mod precision;
mod read;
mod write;

pub use error::{LoadError, TableError};
pub use folder_state::FolderState;
pub use form::WeightsForm;
pub use load::{load_weights, load_weights_except};
pub use locate::{LocateError, Progress, locate_checkpoint, locate_tokenizer};
pub use names::{WeightGroup, WeightNames};
pub use precision::{Precision, UnknownPrecision};
#[cfg(feature = "pytorch")]
pub use read::PyTorchFile;
pub use read::{
    FlaxFile, MoreRows, NewRow, PackedFile, SafetensorsFile, ShardedWeights, TensorInfo,
    TensorSource, open_weights,
};
pub use write::{
    SaveError, SaveOptions, StagedFolder, complete_interrupted_save, num_params,
    save_packed_weights, save_weights, write_file,
};

pub use packed_linear::Layout;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
