//! Text generation with Hugging Face's semantics, around any autoregressive model.
//!
//! Every project that generates text needs search, and it is easy to get subtly wrong: when a beam
//! is finished, which length its score is divided by, when a search may stop, in which order scores
//! are edited. This crate does that part and nothing else. It depends on no tensor library and no
//! model: a model is anything that implements [`StepModel`], which takes token ids and returns logits
//! in plain memory. So it works with Burn, Candle, ONNX Runtime or a table of counts. Options have
//! Hugging Face's names and meanings (transformers 5), down to the scores.
//!
//! One loop runs all strategies. At each step it feeds the model, lets
//! [processors](LogitsProcessor) edit the scores of each row, and passes them to the
//! [search](Search) of each prompt. Prompts that are finished leave the batch, and so do prompts that
//! fail, without the others. [`generate`] runs the loop with a [`GenerationConfig`]. [`Generation`]
//! adds what a configuration can't hold: custom processors, stopping criteria and searches, and
//! observers. Each [`Prompt`] can have options of its own, so one batch can hold different requests.
//!
//! With the feature `rayon`, the scores of a step are processed on all threads; with `simd`, with the
//! widest vectors of the machine. The results are the same.
//!
//! | | |
//! |---|---|
//! | strategies | greedy, sampling, beams, sampled beams, diverse beams, contrastive, required phrases: [`GenerationConfig`]; custom: [`search`] |
//! | processors | from temperature to n-grams: [`GenerationConfig`]; custom: [`LogitsProcessor`] |
//! | phrases | required and forbidden, as tokens or as whole words: [`Phrase`] |
//! | stopping | end tokens, lengths, time, strings: [`GenerationConfig`]; custom: [`StoppingCriterion`] |
//! | results | scores, log-probabilities, n-best lists, alternatives: [`Hypothesis`]; scores of given texts: [`score`]; errors per prompt: [`PromptResult`] |
//! | streaming | tokens that no longer change, cancelling: [`Event`] |
//!
//! ```
//! use std::convert::Infallible;
//!
//! use generation::{GenerationConfig, Prompt, StepModel, TokenBatch, generate};
//!
//! /// The most likely token after `n` is `n + 1`; 9 ends the text.
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
pub mod limits;
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

pub use config::{
    ConfigError, EarlyStopping, GenerationConfig, Ignored, IgnoredReason, OPTIONS, OptionSource,
    Origin,
};
pub use decoding::{Call, Decoding, Ended};
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
