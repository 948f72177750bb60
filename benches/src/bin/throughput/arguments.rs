use std::num::NonZeroUsize;
use std::path::PathBuf;

use benches::Size;
use clap::Parser;
use packed_linear::Format;

/// Measure how fast this machine captions with a model of random weights, or with a checkpoint, and
/// what its memory would allow: a step that writes a token for each row has to read the decoder's
/// weights once.
///
/// Steps are timed while a search runs, end tokens suppressed; bandwidth is measured in turn with
/// them, since it changes on machines that are shared. Exit code 0: measured; 2: not.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Sizes of the model with random weights.
    #[arg(long, value_enum, default_value_t = Size::Full, conflicts_with = "model")]
    pub(crate) size: Size,
    /// Checkpoint folder to measure instead.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) model: Option<PathBuf>,
    /// How weights are stored: f32, bf16, int8 or int4, the last two perhaps with the size of a group
    /// (int8:128).
    #[arg(long, value_name = "FORMAT", default_value = "f32")]
    pub(crate) precision: Format,
    /// Do not pack weights: Burn's own operations on ordinary f32 weights.
    #[arg(long, conflicts_with = "precision")]
    pub(crate) ordinary: bool,
    /// Beams of a caption; 1 is greedy search.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) rows_per_image: NonZeroUsize,
    /// Tokens of a caption.
    #[arg(long, value_name = "N", default_value = "32")]
    pub(crate) tokens: NonZeroUsize,
    /// Images that are captioned together.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) images: NonZeroUsize,
    /// Captions of an image, each with its beams.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) languages: NonZeroUsize,
    /// Times that all is measured; the report has medians.
    #[arg(long, value_name = "N", default_value = "5")]
    pub(crate) repeat: NonZeroUsize,
    /// Threads; 0 means one per core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Where to compute.
    #[arg(long, default_value = "flex")]
    pub(crate) device: String,
    /// Print a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
