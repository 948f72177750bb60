//! Joins any encoder and any text decoder, trains and generates.
//!
//! An encoder turns a source (an image, a text) into a sequence of vectors, the memory; a decoder
//! writes while it attends to the memory. [`VisionEncoderDecoder`] joins an [`Encoder`] and a
//! [`Decoder`], with a linear projection between them where their widths differ, computes the logits
//! of given texts, and drives the searches of the [`generation`] crate. This crate knows no model:
//! implement the two traits for your own, or take the crates that do, such as `clip-vision` and
//! `mbart50-decoder`. Checkpoints are read by the crates `checkpoint` and `pretrained`.
//!
//! Hugging Face: `VisionEncoderDecoderModel`.
//!
//! ```
//! use burn::module::Module;
//! use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
//! use burn::tensor::{Bool, Device, Int, Tensor};
//! use generation::GenerationConfig;
//! use vision_encoder_decoder::{Decoder, Encoder, Memory, VisionEncoderDecoder};
//!
//! /// Takes the mean of each row of pixels as one position of the memory.
//! #[derive(Module, Debug)]
//! struct Rows {
//!     linear: Linear,
//! }
//!
//! impl Encoder for Rows {
//!     type Input = Tensor<4>; // [images, channels, height, width]
//!
//!     fn encode(&self, pixel_values: Tensor<4>) -> Memory {
//!         let rows = pixel_values.mean_dim(1).squeeze_dim::<3>(1); // [images, height, width]
//!         self.linear.forward(rows).into()
//!     }
//! }
//!
//! /// Adds the mean of the memory to each token's embedding.
//! #[derive(Module, Debug)]
//! struct Bag {
//!     embedding: Embedding,
//!     head: Linear,
//! }
//!
//! impl Decoder for Bag {
//!     type State = Tensor<3>; // [rows, 1, width]
//!
//!     fn vocab_size(&self) -> usize {
//!         10
//!     }
//!
//!     fn start(&self, memory: Memory, row_sources: &[usize]) -> Tensor<3> {
//!         let rows: Vec<i64> = row_sources.iter().map(|source| *source as i64).collect();
//!         let rows = Tensor::<1, Int>::from_data(rows.as_slice(), &memory.hidden.device());
//!         memory.hidden.mean_dim(1).select(0, rows)
//!     }
//!
//!     fn forward(
//!         &self,
//!         tokens: Tensor<2, Int>,
//!         _padding: Option<Tensor<2, Bool>>,
//!         state: &mut Tensor<3>,
//!     ) -> Tensor<3> {
//!         self.embedding.forward(tokens) + state.clone()
//!     }
//!
//!     fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
//!         self.head.forward(hidden)
//!     }
//!
//!     fn select_rows(&self, state: &mut Tensor<3>, parents: &[usize]) {
//!         let parents: Vec<i64> = parents.iter().map(|row| *row as i64).collect();
//!         let parents = Tensor::<1, Int>::from_data(parents.as_slice(), &state.device());
//!         *state = state.clone().select(0, parents);
//!     }
//! }
//!
//! let device = Device::flex();
//! let encoder = Rows { linear: LinearConfig::new(32, 16).init(&device) };
//! let decoder = Bag {
//!     embedding: EmbeddingConfig::new(10, 24).init(&device),
//!     head: LinearConfig::new(24, 10).init(&device),
//! };
//! let model = VisionEncoderDecoder::new(encoder, decoder).with_projection(16, 24, &device);
//!
//! let pixel_values = Tensor::<4>::zeros([2, 3, 32, 32], &device);
//! let config = GenerationConfig {
//!     num_beams: 3,
//!     max_length: Some(6),
//!     decoder_start_token_id: Some(2),
//!     eos_token_id: vec![2],
//!     ..GenerationConfig::default()
//! };
//! let texts = model.generate(pixel_values, &config)?;
//! assert_eq!(texts.len(), 2); // a list of hypotheses for each image
//! # Ok::<(), vision_encoder_decoder::GenerateError>(())
//! ```

mod generate;
mod model;
mod traits;

pub use generate::{DecodingState, GenerateError};
pub use model::VisionEncoderDecoder;
pub use traits::{Decoder, Encoder, Memory};

pub use transformer_layers::{RowSelection, RowSources, Shortlist};

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
