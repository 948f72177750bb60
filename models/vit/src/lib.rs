//! ViT and DeiT on [Burn](burn): they turn an image into one vector per patch.
//!
//! A vision transformer cuts an image into square patches, embeds each, and lets all of them attend to each other.
//! Captioners such as ViT-GPT2 and readers of text such as TrOCR have one as their encoder. DeiT is the same model
//! with a second token beside the class token. This crate has the encoder alone, in any size and for any Burn
//! backend. It reads the configuration of a Hugging Face checkpoint, and its table [`WEIGHTS`] ties every
//! parameter to its Hugging Face name. It implements the trait [`Encoder`] of [`vision_encoder_decoder`], so any
//! decoder can attend to it. The crates `checkpoint` and `pretrained` load weights.
//!
//! The model computes the `last_hidden_state` of `ViTModel` and `DeiTModel` of Hugging Face transformers: all
//! positions after the final layer norm. The pooler, which no decoder uses, is left out.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use vit::ViTConfig;
//!
//! # fn main() -> Result<(), vit::ConfigError> {
//! let device = Device::flex();
//! let config = ViTConfig::from_json(
//!     r#"{"model_type": "deit", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
//!         "num_attention_heads": 4, "image_size": [32, 48], "patch_size": 8}"#,
//! )?;
//! let model = config.init(&device);
//!
//! let pixel_values = Tensor::<4>::zeros([1, 3, 32, 48], &device);
//! let hidden = model.forward(pixel_values);
//! assert_eq!(hidden.dims(), [1, 26, 32]); // a class token, a distillation token and 4 × 6 patches
//! # Ok(())
//! # }
//! ```

mod config;
mod embeddings;
mod encoder;
mod layer;
mod model;
mod weights;

pub use config::{ViTConfig, ViTModelType};
pub use model::ViTModel;
pub use weights::WEIGHTS;

pub use transformer_layers::{ConfigError, HeightWidth, HiddenAct};
pub use vision_encoder_decoder::{Encoder, Memory};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
