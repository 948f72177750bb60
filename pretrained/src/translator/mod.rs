//! Models that turn text into text.

mod config;
mod load;
mod names;
mod save;

pub use load::PretrainedTranslator;
