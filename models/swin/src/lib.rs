//! Swin transformers on [Burn](burn): they turn an image into one vector per region of it.
//!
//! A Swin transformer attends within windows of an image, which every second layer shifts, and merges the patches of
//! its stages, so its work grows with the number of pixels and not with the square of it. Donut reads whole pages with
//! one. This crate has the encoder alone, in any size and for any Burn backend. It reads the configuration of a
//! Hugging Face checkpoint, and its table [`WEIGHTS`] ties every parameter to its Hugging Face name. It implements the
//! trait [`Encoder`] of [`vision_encoder_decoder`], so any decoder can attend to it. The crates `checkpoint` and
//! `pretrained` load weights.
//!
//! The model computes the `last_hidden_state` of `SwinModel` and `DonutSwinModel` of Hugging Face transformers: after
//! the final layer norm, which Donut's model does not have.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use swin::SwinConfig;
//!
//! # fn main() -> Result<(), swin::ConfigError> {
//! let device = Device::flex();
//! let config = SwinConfig::from_json(
//!     r#"{"model_type": "donut-swin", "embed_dim": 16, "depths": [2, 2], "num_heads": [2, 4],
//!         "window_size": 4, "image_size": [64, 48]}"#,
//! )?;
//! let model = config.init(&device);
//!
//! let pixel_values = Tensor::<4>::zeros([1, 3, 64, 48], &device);
//! let hidden = model.forward(pixel_values);
//! assert_eq!(hidden.dims(), [1, 8 * 6, 32]); // 16 × 12 patches, merged once
//! # Ok(())
//! # }
//! ```

mod config;
mod drop_path;
mod embeddings;
mod encoder;
mod layer;
mod model;
mod parts;
mod patch_merging;
mod relative_positions;
mod stage;
mod weights;
mod windows;

pub use config::{SwinConfig, SwinModelType};
pub use model::SwinModel;
pub use weights::WEIGHTS;

pub use transformer_layers::{ConfigError, HeightWidth, HiddenAct};
pub use vision_encoder_decoder::{Encoder, Memory};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
