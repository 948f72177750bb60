//! What a training run leaves for people to look at: a table of its updates, and event files for TensorBoard.

mod table;
mod tensorboard;

pub use table::Table;
pub use tensorboard::EventFile;
