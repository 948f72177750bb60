//! Trains vision encoder-decoders, update by update as PyTorch does.
//!
//! A [`Trainer`] holds a model, its optimiser and how far it has come. It takes micro-batches, from a
//! [`BatchSource`] or one call of [`Trainer::update`] at a time, and knows no model, no file of pictures and no
//! progress bar: any [`Encoder`](vision_encoder_decoder::Encoder) and
//! [`Decoder`](vision_encoder_decoder::Decoder) can be trained, and a [`TrainingObserver`] evaluates and reports.
//!
//! | | |
//! |---|---|
//! | what is minimised | [`Objective`]: cross-entropy over the tokens that are not padding, with the head in blocks of positions, so that the logits of a large vocabulary never exist at once; [`LabelSmoothing`] in two forms |
//! | batches | [`Batch`]: several texts of an image share its encoding; one mean over all tokens of an update, whatever the micro-batches |
//! | optimiser | [`AdamWOptimiser`], [`ParameterGroup`] by names of the checkpoint, [`Schedule`], clipping by the global norm, [`MovingAverage`] of weights |
//! | options | [`TrainingConfig`], with Hugging Face's names and the numbers that CLIP-Vision-mBART50 was trained with |
//! | devices | [`Trainer::with_devices`]: a copy of the model on each, micro-batches dealt out, gradients added up in a fixed order |
//! | checkpoints | complete or absent, the last and the best kept; a training that was killed at any moment goes on from the last with the same bits |
//! | an encoder before its decoder | [`Classifier`]: learns the labels of images, with the same trainer, objective and checkpoints |
//! | files | [`ModelFiles`]: [`ByPath`] for any model, and with the feature `pretrained` `PretrainedFiles`, whose training checkpoints are Hugging Face folders |
//!
//! What a device does in an update is deterministic on Burn's Flex. Its random numbers, which dropout draws, belong
//! to the process: a process that draws others at the same time, or trains two models, can't repeat a training.
//!
//! Hugging Face: `Seq2SeqTrainer`. The references of the tests are PyTorch's.
//!
//! ```
//! use burn::module::Module;
//! use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
//! use burn::tensor::{Bool, Device, Int, Tensor};
//! use training::{Batch, ByPath, Trainer, TrainingConfig};
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
//!     fn select_rows(&self, state: &mut Tensor<3>, _parents: &[usize]) {
//!         let _ = state; // only a search needs this
//!     }
//! }
//!
//! let device = Device::flex().autodiff();
//! let encoder = Rows { linear: LinearConfig::new(8, 16).init(&device) };
//! let decoder = Bag {
//!     embedding: EmbeddingConfig::new(10, 16).init(&device),
//!     head: LinearConfig::new(16, 10).init(&device),
//! };
//! let model = VisionEncoderDecoder::new(encoder, decoder);
//! let config = TrainingConfig {
//!     learning_rate: 0.05,
//!     warmup_steps: 2,
//!     max_steps: Some(20),
//!     decoder_start_token_id: Some(2),
//!     pad_token_id: Some(1),
//!     ..TrainingConfig::default()
//! };
//! let mut trainer = Trainer::new(model, config, &ByPath)?;
//!
//! // Two images; the first has two texts.
//! let pixel_values = Tensor::<4>::ones([2, 3, 8, 8], &device);
//! let batch = Batch {
//!     input: pixel_values,
//!     row_sources: vec![0, 0, 1],
//!     labels: vec![vec![5, 6, 2], vec![5, 2], vec![7, 2]],
//! };
//! let mut losses = Vec::new();
//! for _ in 0..20 {
//!     losses.push(trainer.update(vec![batch.clone()])?.loss);
//! }
//! assert!(losses[19] < losses[0]);
//!
//! let folder = tempfile::tempdir().unwrap();
//! trainer.save(&folder.path().join("checkpoint-20"), &ByPath, &Default::default())?;
//! # Ok::<(), training::TrainingError>(())
//! ```

#[cfg(feature = "datasets")]
mod caption_encoder;
#[cfg(feature = "datasets")]
mod captions;
mod classifier;
mod error;
mod gradients;
pub mod logs;
mod objective;
mod optimiser;
mod parameters;
#[cfg(feature = "pretrained")]
mod pretrained;
mod trainer;

#[cfg(feature = "pretrained")]
pub use self::pretrained::PretrainedFiles;
#[cfg(feature = "datasets")]
pub use caption_encoder::{CaptionEncoder, EncodeError};
#[cfg(feature = "datasets")]
pub use captions::{CaptionBatches, caption_batch, class_batch};
#[cfg(feature = "pretrained")]
pub use classifier::{CLASSES, CLASSIFIER, ClassifierFiles};
pub use classifier::{Classes, Classifier, Pooled};
pub use error::{BoxError, TrainingError};
pub use gradients::{ModuleGradients, clipping_factor};
pub use objective::{
    Batch, LOGITS_BLOCK_BYTES, LabelSmoothing, Labels, Objective, SpecialTokens, ToDevice,
};
pub use optimiser::{
    AdamWOptimiser, AdamWOptions, MovingAverage, ParameterGroup, ParameterPlan, Schedule,
    SchedulerType,
};
pub use trainer::{
    BatchSource, Best, ByPath, Evaluation, Finished, ModelFiles, OPTIMIZER, Progress,
    TRAINING_STATE, Trainer, TrainingConfig, TrainingObserver, UpdateReport, best_checkpoint,
    latest_checkpoint, parameter_values,
};
