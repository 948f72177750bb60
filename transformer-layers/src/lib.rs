//! The blocks that transformer encoders and decoders are built from, on [Burn](burn).
//!
//! A model crate composes these into layers, reads its own configuration, and names its weights; what
//! is the same in every decoder is here, once:
//!
//! | | |
//! |---|---|
//! | attention | [`EncoderAttention`] over all positions, [`SelfAttention`] over the tokens so far, [`CrossAttention`] over the memory |
//! | state | [`DecoderState`]: key/value caches that are written in place, masks, recorded attention; rows that begin later join it |
//! | rows and sources | [`RowSources`]: which encoded source (an image, a text) each row attends to |
//! | images | [`PatchEmbedding`]: the patches of an image to vectors |
//! | feed-forward | [`FeedForward`]: two linear layers with an activation between them |
//! | decoder | [`DecoderLayer`], pre-norm or post-norm, and [`DecoderLayers`] in a row; [`embed_tokens`] and positions |
//! | memory | [`recompute`]: blocks that keep only their inputs for the backward pass |
//! | head | [`Head`], [`HeadTransform`] before it, and [`Shortlist`]: a head that scores only some tokens |
//! | configurations | [`HiddenAct`] and [`HeightWidth`], as Hugging Face writes them; [`ConfigError`] |
//!
//! Linear layers are those of [`packed_linear`], so every model has weights in f32, bf16, int8 or
//! int4, and fast kernels on CPUs with the feature `flex`. Layers take the normalisation in front of
//! them and the residual connection after them as arguments, because kernels do both while values are
//! in registers. Pre-norm and post-norm models use the same blocks.
//!
//! Dropout is applied on autodiff devices only, and where its rate is above 0: [`burn::nn::Dropout`].
//!
//! A decoder layer, pre-norm, and two steps with it:
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use packed_linear::{Activation, Input, LayerNorm};
//! use transformer_layers::{
//!     AttentionConfig, CrossAttention, DecoderState, FeedForwardConfig, RowSources, SelfAttention,
//! };
//!
//! let device = Device::flex();
//! let (width, heads) = (32, 4);
//! let attention = AttentionConfig::new(width, heads);
//! let self_attention = SelfAttention::new(&attention, None, &device);
//! let cross_attention = CrossAttention::new(&attention, None, &device);
//! let feed_forward = FeedForwardConfig::new(width, 64, Activation::Gelu).init(None, &device);
//! let norm = LayerNorm::new(width, 1e-5, &device); // a model has one for each block
//!
//! // Two encoded images of 17 positions; rows 0 and 1 attend to the first, row 2 to the second.
//! let memory = Tensor::<3>::zeros([2, 17, width], &device);
//! let sources = RowSources::new(vec![0, 0, 1], 2, &device);
//! let mut state = DecoderState::new(vec![cross_attention.start(memory)], sources, None);
//!
//! for _ in 0..2 {
//!     let hidden = Tensor::<2>::zeros([3, width], &device); // one embedded token for each row
//!     let (pass, layers) = state.advance(1, None);
//!     let input = Input::normed(&norm, hidden.clone());
//!     let hidden = self_attention.forward(input, hidden, &pass, &mut layers[0]);
//!     let input = Input::normed(&norm, hidden.clone());
//!     let hidden = cross_attention.forward(input, hidden, &pass, &mut layers[0]);
//!     let hidden = feed_forward.forward(Input::normed(&norm, hidden.clone()), hidden);
//!     assert_eq!(hidden.dims(), [3, width]);
//! }
//! assert_eq!(state.length(), 2);
//! ```

mod aliases;
mod attention;
mod attention_record;
mod biased_attention;
mod cache;
mod cohort;
mod config_error;
mod cross_attention;
mod decoder_layer;
mod decoder_layers;
mod embeddings;
mod encoder_attention;
mod feed_forward;
mod head;
mod head_transform;
mod height_width;
mod hidden_act;
mod padded_attention;
mod pass;
mod patch_embedding;
pub mod recompute;
mod residual;
mod row_sources;
mod scores;
mod self_attention;
mod shortlist;
mod slots;
mod state;

pub use aliases::resolve_aliases;
pub use attention::AttentionConfig;
pub use config_error::ConfigError;
pub use cross_attention::CrossAttention;
pub use decoder_layer::{DecoderLayer, DecoderLayerConfig, NormPlacement};
pub use decoder_layers::DecoderLayers;
pub use embeddings::{
    embed_positions, embed_tokens, positions_beside_padding, positions_of_cohorts, without_gradient,
};
pub use encoder_attention::EncoderAttention;
pub use feed_forward::{FeedForward, FeedForwardConfig};
pub use head::Head;
pub use head_transform::HeadTransform;
pub use height_width::HeightWidth;
pub use hidden_act::HiddenAct;
pub use pass::Pass;
pub use patch_embedding::{PatchEmbedding, PatchEmbeddingConfig};
pub use row_sources::{RowSelection, RowSources};
pub use self_attention::SelfAttention;
pub use shortlist::Shortlist;
pub use state::{DecoderState, LayerState};

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
