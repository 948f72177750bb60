//! Writing checkpoints.

mod error;
mod options;
mod packed;
mod parameters;
mod safetensors;
mod save;
mod staged;

pub use error::SaveError;
pub use options::SaveOptions;
pub use packed::save_packed_weights;
pub use parameters::num_params;
pub use save::save_weights;
pub use staged::{StagedFolder, complete_interrupted_save, write_file};
