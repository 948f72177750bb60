//! Text generation with Hugging Face's semantics, around any autoregressive model.
//!
//! Search is the part of text generation that every project needs and that is easy to get subtly
//! wrong: when a beam is finished, what its length divides, when a search may stop, in which order
//! scores are edited. This crate is that part alone. It knows no tensor library and no model: a model
//! is whatever implements [`StepModel`], which takes token ids and returns logits in plain memory, so
//! it fits around Burn, Candle, ONNX Runtime or a table of counts. Options have Hugging Face's names
//! and mean what they mean there (transformers 5), down to the scores.
//!
//! One loop serves every strategy: it feeds the model, lets [processors](LogitsProcessor) edit the
//! scores of each row, hands them to the [search](Search) of the prompt, and lets finished prompts
//! leave the batch. [`generate`] runs it with options alone, [`Generation`] with what is code or
//! text: processors, stopping rules and searches of one's own, somebody who watches. With the features
//! `rayon` and `simd` the scores of a step are looked through on all threads and with the widest vectors
//! of the machine; the results are the same.
//!
//! | | |
//! |---|---|
//! | strategies | greedy, sampling, beams, sampled beams, groups of beams, contrastive: [`search`] |
//! | processors | temperature to n-grams, your own: [`processor`] |
//! | words | that have to come or must not, whole words: [`Phrase`] |
//! | the end | tokens, lengths, time, strings, your own: [`stopping`] |
//! | results | scores, log-probabilities, n-best lists, alternatives: [`Hypothesis`]; scores of given texts: [`score`] |
//! | on the way | what no longer changes, cancelling: [`Event`] |
//!
//! ```
//! use std::convert::Infallible;
//!
//! use generation::{GenerationConfig, Prompt, StepModel, TokenBatch, generate};
//!
//! /// After token `n` comes `n + 1`, most likely; 9 ends the text.
//! struct Counting;
//!
//! impl StepModel for Counting {
//!     type State = ();
//!     type Error = Infallible;
//!
//!     fn vocab_size(&self) -> usize {
//!         10
//!     }
//!
//!     fn step(&self, tokens: TokenBatch<'_>, _: &mut ()) -> Result<Vec<f32>, Infallible> {
//!         let mut logits = vec![0.0; tokens.rows() * 10];
//!         for (row, scores) in logits.chunks_mut(10).enumerate() {
//!             scores[tokens.last(row) as usize + 1] = 5.0;
//!         }
//!         Ok(logits)
//!     }
//!
//!     fn select_rows(&self, _: &mut (), _: &[usize]) -> Result<(), Infallible> {
//!         Ok(())
//!     }
//! }
//!
//! let config = GenerationConfig {
//!     num_beams: 3,
//!     eos_token_id: vec![9],
//!     max_length: Some(20),
//!     ..GenerationConfig::default()
//! };
//! let prompts = [Prompt::new(vec![4])];
//! let results = generate(&Counting, (), &prompts, &config).unwrap();
//! let hypotheses = results[0].as_ref().unwrap();
//! assert_eq!(hypotheses[0].tokens, [4, 5, 6, 7, 8, 9]);
//! ```

mod config;
mod decoding;
mod error;
mod event;
mod generation;
mod hypothesis;
mod model;
mod numeric;
mod options;
mod phrase;
mod processor;
mod prompt;
mod random;
pub mod search;
mod stopping;
mod validate;
mod vocabulary;

pub use config::{ConfigError, EarlyStopping, GenerationConfig, OPTIONS};
pub use error::{GenerateError, PromptError, PromptResult};
pub use event::{Event, Observer};
pub use generation::{Generation, generate, score};
pub use hypothesis::{Alternative, Hypothesis};
pub use model::{StepModel, TokenBatch};
pub use phrase::{Matching, Phrase};
pub use processor::{AllowedTokensFn, LogitsProcessor, processors};
pub use prompt::Prompt;
pub use search::Search;
pub use stopping::StoppingCriterion;
pub use vocabulary::{Vocabulary, is_unspaced, separates_words};

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
