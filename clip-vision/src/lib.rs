//! CLIP's vision transformer on [Burn](burn): it turns an image into one vector per patch.
//!
//! CLIP's image encoder is a part of many captioning, retrieval and multimodal models. This crate has only
//! the encoder, in any size and for any Burn backend. It reads the configuration of a Hugging Face
//! checkpoint, and its table [`WEIGHTS`] ties every parameter to its Hugging Face name. It implements the
//! trait [`Encoder`] of [`vision_encoder_decoder`], so any decoder can attend to it. The crates `checkpoint`
//! and `pretrained` load weights.
//!
//! The model computes what `CLIPVisionModel` of Hugging Face transformers computes: hidden states before
//! `post_layernorm`, and the pooled class token after it.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use clip_vision::ClipVisionConfig;
//!
//! # fn main() -> Result<(), clip_vision::ConfigError> {
//! let device = Device::flex();
//! let config = ClipVisionConfig::from_json(
//!     r#"{"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
//!         "num_attention_heads": 4, "image_size": 32, "patch_size": 8}"#,
//! )?;
//! let model = config.init(&device);
//!
//! let pixel_values = Tensor::<4>::zeros([1, 3, 32, 32], &device);
//! let hidden = model.forward(pixel_values);
//! assert_eq!(hidden.dims(), [1, 17, 32]); // a class token and 4 × 4 patches
//! assert_eq!(model.pool(hidden).dims(), [1, 32]);
//! # Ok(())
//! # }
//! ```

mod config;
mod embeddings;
mod encoder;
mod layer;
mod model;
mod weights;

pub use config::ClipVisionConfig;
pub use model::ClipVisionModel;
pub use weights::WEIGHTS;

pub use transformer_layers::{ConfigError, HiddenAct};
pub use vision_encoder_decoder::{Encoder, Memory};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
