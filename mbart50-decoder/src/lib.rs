//! mBART-50's decoder on [Burn](burn): token ids and something to attend to in, logits out.
//!
//! mBART-50 writes 52 languages: the first token after the start token names the language. Its
//! decoder, attending to an image encoder instead of a text encoder, is half of a multilingual
//! captioning model. This crate is that decoder alone: it knows nothing of images, search or
//! files.
//!
//! The model holds no decoding state. [`MBartDecoder::begin`] makes a [`DecoderState`] for a set of
//! rows, [`MBartDecoder::forward`] feeds it any number of tokens, one at a time while generating or
//! a whole text for teacher forcing: both run the same code. What the rows attend to (the memory,
//! an encoder's output) is projected to keys and values once per image, however many rows look at
//! it; the keys and values of the rows' own tokens are written in place into room set aside.
//!
//! The arithmetic is that of `MBartForCausalLM` with cross-attention in Hugging Face transformers.
//!
//! ```
//! use burn::tensor::{Device, Int, Tensor};
//! use mbart50_decoder::{MBartDecoderConfig, language};
//!
//! # fn main() -> Result<(), mbart50_decoder::ConfigError> {
//! let device = Device::flex();
//! let config = MBartDecoderConfig::from_json(
//!     r#"{"vocab_size": 101, "d_model": 32, "decoder_layers": 2, "decoder_attention_heads": 4,
//!         "decoder_ffn_dim": 64, "max_position_embeddings": 64, "scale_embedding": true}"#,
//! )?;
//! let decoder = config.init(&device);
//!
//! // Two images of 17 positions; rows 0 and 1 look at the first, row 2 at the second.
//! let memory = Tensor::<3>::zeros([2, 17, 32], &device);
//! let mut state = decoder.begin(memory, None, &[0, 0, 1]);
//! let spanish = language("es_XX").unwrap().token_id(config.vocab_size);
//! let prompt = Tensor::<2, Int>::from_data([[2, spanish], [2, 5], [2, 6]], &device);
//! let hidden = decoder.forward(prompt, None, &mut state);
//! assert_eq!(decoder.logits(hidden).dims(), [3, 2, 101]);
//!
//! // One more token each; the state remembers what came before.
//! let next = Tensor::<2, Int>::from_data([[7], [8], [9]], &device);
//! let hidden = decoder.forward(next, None, &mut state);
//! assert_eq!(hidden.dims(), [3, 1, 32]);
//! # Ok(())
//! # }
//! ```

mod attention;
mod attention_record;
mod cache;
mod config;
mod embeddings;
mod feed_forward;
mod head;
mod language;
mod layer;
mod model;
mod row_images;
mod shortlist;
mod slots;
mod state;
mod weights;

pub use config::{ActivationFunction, ConfigError, MBartDecoderConfig};
pub use language::{LANGUAGES, Language, language};
pub use model::MBartDecoder;
pub use row_images::{RowImages, RowSelection};
pub use shortlist::Shortlist;
pub use state::DecoderState;
pub use weights::WEIGHTS;

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
