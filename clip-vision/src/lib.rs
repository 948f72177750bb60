//! CLIP's vision transformer on [Burn](burn): an image in, one vector per patch out.
//!
//! CLIP's image encoder is the front end of many captioning, retrieval and multimodal models. This
//! crate is that encoder alone: any size, any Burn backend, configured by the JSON that Hugging
//! Face ships with a checkpoint, with a table that ties every weight to its Hugging Face name. It
//! knows nothing of text, search or files; reading a checkpoint into it is the work of
//! `vision-encoder-decoder`.
//!
//! The arithmetic is that of `CLIPVisionModel` in Hugging Face transformers: the hidden states
//! come out before `post_layernorm`, the pooled class token after it.
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

mod attention;
mod config;
mod embeddings;
mod feed_forward;
mod layer;
mod model;
mod patch_embedding;
mod weights;

pub use config::{ClipVisionConfig, ConfigError, HiddenAct};
pub use model::ClipVisionModel;
pub use weights::WEIGHTS;

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
