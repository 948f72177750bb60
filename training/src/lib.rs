//! Training of vision encoder-decoders.

mod error;
mod gradients;
mod objective;
mod optimiser;
mod parameters;
#[cfg(feature = "pretrained")]
mod pretrained;
mod trainer;

#[cfg(feature = "pretrained")]
pub use self::pretrained::PretrainedFiles;
pub use error::{BoxError, TrainingError};
pub use gradients::{ModuleGradients, clipping_factor};
pub use objective::{Batch, LOGITS_BLOCK_BYTES, LabelSmoothing, Labels, Objective, SpecialTokens};
pub use optimiser::{
    AdamWOptimiser, AdamWOptions, MovingAverage, ParameterGroup, ParameterPlan, Schedule,
    SchedulerType,
};
pub use trainer::{
    BatchSource, Best, ByPath, Evaluation, Finished, ModelFiles, OPTIMIZER, Progress,
    TRAINING_STATE, Trainer, TrainingConfig, TrainingObserver, UpdateReport, best_checkpoint,
    latest_checkpoint, parameter_values,
};
