//! Marian's translation models on [Burn](burn): an encoder of text, and a decoder that attends to it.
//!
//! The thousand `Helsinki-NLP/opus-mt-*` checkpoints have this architecture: a transformer with layer norms after
//! each residual connection, positions of sines and cosines, and usually one table of embeddings for both languages
//! and the head. Encoder and decoder implement the traits [`Encoder`] and [`Decoder`] of
//! [`vision_encoder_decoder`], which joins them and generates texts. The crate `pretrained` loads checkpoints, and
//! `translation` joins them with a tokenizer.
//!
//! The model holds no decoding state. [`Decoder::start`] creates a
//! [`DecoderState`](transformer_layers::DecoderState) for some rows; [`Decoder::forward`] feeds any number of tokens to
//! them: one at a time to generate, a whole text for teacher forcing. Both run the same code.
//!
//! The model computes what `MarianMTModel` of Hugging Face transformers computes.
//!
//! ```
//! use burn::tensor::{Bool, Device, Int, Tensor};
//! use marian::{Decoder, MarianConfig, SourceTokens};
//!
//! # fn main() -> Result<(), marian::ConfigError> {
//! let device = Device::flex();
//! let config = MarianConfig::from_json(
//!     r#"{"vocab_size": 101, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2,
//!         "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 64,
//!         "decoder_ffn_dim": 64, "max_position_embeddings": 64, "activation_function": "swish"}"#,
//! )?;
//! let model = config.init(&device);
//!
//! // Two texts, the second of which is shorter.
//! let ids = Tensor::<2, Int>::from_data([[5, 17, 8, 0], [9, 0, 100, 100]], &device);
//! let padding = [[false, false, false, false], [false, false, true, true]];
//! let padding = Tensor::<2, Bool>::from_data(padding, &device);
//! let memory = model.encode(SourceTokens::new(ids).with_padding(padding));
//! assert_eq!(memory.hidden.dims(), [2, 4, 32]);
//!
//! let mut state = model.decoder.start(memory, &[0, 1]);
//! let tokens = Tensor::<2, Int>::from_data([[100], [100]], &device);
//! let hidden = model.decoder.forward(tokens, None, &mut state);
//! assert_eq!(model.decoder.logits(hidden).dims(), [2, 1, 101]);
//! # Ok(())
//! # }
//! ```

mod config;
mod decoder;
mod decoder_layer;
mod embeddings;
mod encoder;
mod encoder_layer;
mod model;
mod positions;
mod weights;

pub use config::{ActivationFunction, MarianConfig};
pub use decoder::MarianDecoder;
pub use encoder::{MarianEncoder, SourceTokens};
pub use model::Marian;
pub use weights::{IGNORED, SEPARATE_WEIGHTS, SHARED_WEIGHTS, TIED_WEIGHTS, WEIGHTS};

pub use transformer_layers::ConfigError;
pub use vision_encoder_decoder::{Decoder, Encoder, Memory};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
