//! mBART-50's decoder on [Burn](burn): it computes logits from token ids and a memory that it attends to.
//!
//! mBART-50 writes 52 languages; the token after the start token selects the language. Attending to an image
//! encoder instead of a text encoder, its decoder is one half of a multilingual captioning model. This crate
//! has only the decoder. It implements the trait [`Decoder`] of [`vision_encoder_decoder`], which joins it
//! with any encoder and generates texts. The crates `checkpoint` and `pretrained` load weights.
//!
//! The model holds no decoding state. [`Decoder::start`] creates a
//! [`DecoderState`](transformer_layers::DecoderState) for some rows. [`Decoder::forward`] feeds any number of
//! tokens to them: one at a time to generate, a whole text for teacher forcing. Both run the same code. Keys
//! and values of the memory are projected once per source, however many rows attend to it. Those of the
//! tokens are written to a cache in place.
//!
//! The model computes what `MBartForCausalLM` with cross-attention of Hugging Face transformers computes.
//!
//! ```
//! use burn::tensor::{Device, Int, Tensor};
//! use mbart50_decoder::{Decoder, MBartDecoderConfig};
//!
//! # fn main() -> Result<(), mbart50_decoder::ConfigError> {
//! let device = Device::flex();
//! let config = MBartDecoderConfig::from_json(
//!     r#"{"vocab_size": 101, "d_model": 32, "decoder_layers": 2, "decoder_attention_heads": 4,
//!         "decoder_ffn_dim": 64, "max_position_embeddings": 64, "scale_embedding": true}"#,
//! )?;
//! let decoder = config.init(&device);
//!
//! // Two images of 17 positions; rows 0 and 1 attend to the first, row 2 to the second.
//! let memory = Tensor::<3>::zeros([2, 17, 32], &device);
//! let mut state = decoder.start(memory.into(), &[0, 0, 1]);
//! let prompt = Tensor::<2, Int>::from_data([[2, 4], [2, 5], [2, 6]], &device);
//! let hidden = decoder.forward(prompt, None, &mut state);
//! assert_eq!(decoder.logits(hidden).dims(), [3, 2, 101]);
//!
//! // One more token for each row. The state holds the tokens before.
//! let next = Tensor::<2, Int>::from_data([[7], [8], [9]], &device);
//! let hidden = decoder.forward(next, None, &mut state);
//! assert_eq!(hidden.dims(), [3, 1, 32]);
//! # Ok(())
//! # }
//! ```

mod config;
mod embeddings;
mod layer;
mod model;
mod weights;

pub use config::MBartDecoderConfig;
pub use model::MBartDecoder;
pub use weights::{TIED_WEIGHTS, WEIGHTS};

pub use transformer_layers::{ConfigError, HiddenAct};
pub use vision_encoder_decoder::{Decoder, Memory};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
