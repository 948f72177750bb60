//! Loads, composes and saves vision encoder-decoders in Hugging Face's form.
//!
//! [`Pretrained::from_folder`] reads `config.json`, looks up the families of the encoder and the decoder in a
//! table, creates and joins both, and loads the weights of the folder: safetensors, PyTorch (feature
//! `pytorch`), Flax or packed weights. [`Pretrained::from_encoder_decoder`] composes a model from the
//! checkpoints of an encoder and of a decoder, to be trained. [`Pretrained::save`] writes a folder that
//! transformers can open.
//!
//! | part | families |
//! |---|---|
//! | encoder | CLIP's vision transformer (`clip_vision_model`, `clip`), ViT (`vit`), DeiT (`deit`), Swin (`swin`), Donut's Swin (`donut-swin`) |
//! | decoder | mBART's decoder (`mbart`), GPT-2 (`gpt2`), BERT (`bert`), RoBERTa (`roberta`, `xlm-roberta`, `camembert`), TrOCR's decoder (`trocr`) |
//!
//! [`PretrainedTranslator`] does the same for models that read text instead of images: Marian's (`marian`).
//!
//! The checkpoint of CLIP-Vision-mBART50 as it was published in 2021 has a form of its own, which is read
//! too. [`as_published`] reproduces what its original code returned.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use generation::GenerationConfig;
//! use pretrained::{LoadOptions, Pretrained, VisionEncoderDecoderConfig, Weights};
//!
//! let device = Device::flex();
//! let options = GenerationConfig {
//!     decoder_start_token_id: Some(2),
//!     eos_token_id: vec![2],
//!     max_length: Some(6),
//!     ..GenerationConfig::default()
//! };
//! let config = VisionEncoderDecoderConfig::tiny();
//! let fresh = Pretrained::from_config(config, options, Weights::Ordinary, &device);
//! let folder = tempfile::tempdir().unwrap();
//! fresh.save(folder.path(), &Default::default()).unwrap();
//!
//! let loaded = Pretrained::from_folder(folder.path(), &LoadOptions::default(), &device)?;
//! let pixel_values = Tensor::<4>::zeros([1, 3, 32, 32], &device);
//! let texts = loaded.model.generate(pixel_values, &loaded.generation_config).unwrap();
//! assert_eq!(texts.len(), 1); // a result for each image
//! # Ok::<(), pretrained::LoadError>(())
//! ```

pub mod as_published;
mod config;
mod cross_attention;
mod error;
mod families;
mod form;
mod generation_options;
mod json;
mod model_type;
mod names;
mod new_tokens;
mod notice;
mod options;
mod pretrained;
mod save;
mod sizes;
mod tied_head;
mod translator;
mod weights;
mod written;

pub use config::{PretrainedModel, VisionEncoderDecoderConfig};
pub use error::{ConfigError, LoadError};
pub use families::{DecoderConfig, EncoderConfig, ImageEncoder, MemoryGrid, TextDecoder};
pub use new_tokens::NewToken;
pub use notice::LoadNotice;
pub use options::{ComposeOptions, LoadOptions};
pub use pretrained::Pretrained;
pub use translator::PretrainedTranslator;
pub use weights::{UnknownWeights, Weights};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
