use std::num::NonZeroUsize;

use clap::{Parser, ValueEnum};

/// Measure how fast this machine trains a captioner with random weights on random images and captions:
/// cross-entropy of all tokens, backward pass, AdamW. Dropout is off.
///
/// Exit code 0: success; 2: error.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Size of the model and of a batch.
    #[arg(long, value_enum, default_value_t = TrainingSize::Pictograms)]
    pub(crate) size: TrainingSize,
    /// Updates that are measured, after two that are not; the report has medians.
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) updates: NonZeroUsize,
    /// Number of threads; 0 means one for each core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Device to train on.
    #[arg(long, default_value = "flex")]
    pub(crate) device: String,
    /// Print a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TrainingSize {
    /// The embedded pictogram model, 4.5 million parameters: 64 images, 12 tokens each.
    Pictograms,
    /// 30 million parameters: 32 images, 16 tokens each.
    Medium,
}
