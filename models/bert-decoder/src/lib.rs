//! BERT and RoBERTa as decoders with cross-attention on [Burn](burn): logits from token ids and a memory.
//!
//! Attending to an image encoder, they are one half of a captioning model. XLM-RoBERTa and CamemBERT are RoBERTa with
//! other weights. This crate has only the decoder. It implements the trait [`Decoder`] of [`vision_encoder_decoder`], which
//! joins it with any encoder and generates texts. The crates `checkpoint` and `pretrained` load weights.
//!
//! The model holds no decoding state. [`Decoder::start`] creates a
//! [`DecoderState`](transformer_layers::DecoderState) for some rows. [`Decoder::forward`] feeds any number of
//! tokens to them: one at a time to generate, a whole text for teacher forcing. Both run the same code.
//!
//! The model computes what `BertLMHeadModel` and `RobertaForCausalLM` of Hugging Face transformers compute with
//! `is_decoder` and `add_cross_attention`.
//!
//! ```
//! use bert_decoder::{BertDecoderConfig, Decoder};
//! use burn::tensor::{Device, Int, Tensor};
//!
//! # fn main() -> Result<(), bert_decoder::ConfigError> {
//! let device = Device::flex();
//! let config = BertDecoderConfig::from_json(
//!     r#"{"vocab_size": 101, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
//!         "intermediate_size": 64, "max_position_embeddings": 64}"#,
//! )?;
//! let decoder = config.init(&device);
//!
//! // Two images of 17 positions; rows 0 and 1 attend to the first, row 2 to the second.
//! let memory = Tensor::<3>::zeros([2, 17, 32], &device);
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
mod variant;
mod weights;

pub use config::{BertDecoderConfig, PositionEmbeddingType, RobertaDecoderConfig};
pub use model::BertDecoder;
pub use weights::{
    BERT_TIED_WEIGHTS, BERT_UNTIED_WEIGHTS, BERT_WEIGHTS, ROBERTA_TIED_WEIGHTS,
    ROBERTA_UNTIED_WEIGHTS, ROBERTA_WEIGHTS,
};

pub use transformer_layers::{ConfigError, HiddenAct};
pub use vision_encoder_decoder::{Decoder, Memory};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
