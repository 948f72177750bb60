//! TrOCR's decoder on [Burn](burn): it computes logits from token ids and a memory that it attends to.
//!
//! Attending to an image encoder, it is one half of a model that reads text in images. This crate has only the decoder. It
//! implements the trait [`Decoder`] of [`vision_encoder_decoder`], which joins it with any encoder and generates texts. The
//! crates `checkpoint` and `pretrained` load weights.
//!
//! The model holds no decoding state. [`Decoder::start`] creates a
//! [`DecoderState`](transformer_layers::DecoderState) for some rows. [`Decoder::forward`] feeds any number of
//! tokens to them: one at a time to generate, a whole text for teacher forcing. Both run the same code.
//!
//! The model computes what `TrOCRForCausalLM` of Hugging Face transformers computes.
//!
//! ```
//! use burn::tensor::{Device, Int, Tensor};
//! use trocr_decoder::{Decoder, TrocrDecoderConfig};
//!
//! # fn main() -> Result<(), trocr_decoder::ConfigError> {
//! let device = Device::flex();
//! let config = TrocrDecoderConfig::from_json(
//!     r#"{"vocab_size": 101, "d_model": 32, "decoder_layers": 2, "decoder_attention_heads": 4,
//!         "decoder_ffn_dim": 64, "cross_attention_hidden_size": 48}"#,
//! )?;
//! let decoder = config.init(&device);
//!
//! // Two images of 17 positions; rows 0 and 1 attend to the first, row 2 to the second.
//! let memory = Tensor::<3>::zeros([2, 17, 48], &device);
//! let mut state = decoder.start(memory.into(), &[0, 0, 1]);
//! let prompt = Tensor::<2, Int>::from_data([[2, 4], [2, 5], [2, 6]], &device);
//! let hidden = decoder.forward(prompt, None, &mut state);
//! assert_eq!(decoder.logits(hidden).dims(), [3, 2, 101]);
//! # Ok(())
//! # }
//! ```

mod config;
mod embeddings;
mod layer;
mod model;
mod sinusoids;
mod weights;

pub use config::TrocrDecoderConfig;
pub use model::TrocrDecoder;
pub use weights::{TIED_WEIGHTS, WEIGHTS};

pub use transformer_layers::{ConfigError, HiddenAct};
pub use vision_encoder_decoder::{Decoder, Memory};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
