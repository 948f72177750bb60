//! The table of model families.
//!
//! A new family is an entry in the list at the end of [`encoders`] or [`decoders`], and a file in this folder
//! that says which `model_type` it has, how its configuration is read, and where its weights are in a
//! checkpoint.

mod bert;
mod clip_vision;
mod decoders;
mod encoders;
mod family;
mod gpt2;
mod mbart;
mod roberta;
mod swin;
mod table;
mod trocr;
mod vit;

pub use decoders::{DecoderConfig, TextDecoder};
pub use encoders::{EncoderConfig, ImageEncoder};
pub use family::MemoryGrid;
