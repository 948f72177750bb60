//! Joins an image encoder and a text decoder, reads their checkpoints, and generates.
//!
//! An encoder turns an image into a sequence of vectors, the memory; a decoder writes while it
//! attends to that. [`VisionEncoderDecoder`] joins any [`Encoder`] with any [`Decoder`], with a
//! projection between them where their widths differ, and drives the search of the `generation`
//! crate. Adapters make [`clip_vision::ClipVisionModel`] an encoder and
//! [`mbart50_decoder::MBartDecoder`] a decoder; [`Pretrained`] reads that pair from a checkpoint
//! folder, composes it of two, and saves it. The module [`checkpoint`] reads and writes any Burn
//! module, and `hub` (a feature) downloads.
//!
//! Hugging Face: `VisionEncoderDecoderModel`.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use clip_vision::ClipVisionConfig;
//! use generation::GenerationConfig;
//! use mbart50_decoder::MBartDecoderConfig;
//! use vision_encoder_decoder::VisionEncoderDecoder;
//!
//! let device = Device::flex();
//! let encoder = ClipVisionConfig {
//!     hidden_size: 32,
//!     intermediate_size: 64,
//!     num_hidden_layers: 2,
//!     num_attention_heads: 4,
//!     image_size: 32,
//!     patch_size: 8,
//!     ..ClipVisionConfig::default()
//! };
//! let decoder = MBartDecoderConfig {
//!     vocab_size: 101,
//!     d_model: 48,
//!     decoder_layers: 2,
//!     decoder_attention_heads: 4,
//!     decoder_ffn_dim: 64,
//!     ..MBartDecoderConfig::default()
//! };
//! let model = VisionEncoderDecoder::new(encoder.init(&device), decoder.init(&device))
//!     .with_projection(32, 48, &device);
//!
//! let pixel_values = Tensor::<4>::zeros([2, 3, 32, 32], &device);
//! let config = GenerationConfig {
//!     num_beams: 3,
//!     max_length: Some(6),
//!     decoder_start_token_id: Some(2),
//!     eos_token_id: vec![2],
//!     ..GenerationConfig::default()
//! };
//! let captions = model.generate(pixel_values, &config)?;
//! assert_eq!(captions.len(), 2); // one list of hypotheses per image
//! # Ok::<(), vision_encoder_decoder::GenerateError>(())
//! ```

mod adapters;
pub mod as_published;
pub mod checkpoint;
mod config;
mod generate;
#[cfg(feature = "hub")]
pub mod hub;
mod model;
mod traits;
mod weights;

pub use checkpoint::{LoadError, Pretrained, SaveError};
pub use config::{ConfigError, VisionEncoderDecoderConfig};
pub use generate::{DecodingState, GenerateError};
pub use model::{ClipVisionMBart50, VisionEncoderDecoder};
pub use traits::{Decoder, Encoder, Memory};

pub use mbart50_decoder::{RowImages, RowSelection, Shortlist};

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
