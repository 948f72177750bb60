use std::num::NonZeroUsize;
use std::path::PathBuf;

use benches::Size;
use clap::Parser;
use pretrained::Weights;

/// Measure how fast this machine captions, with a model of random weights or with a checkpoint, and how fast
/// its memory would allow: a step, which writes a token for each row, has to read the decoder's weights once.
///
/// Steps are timed during a search that can't end early. The memory bandwidth is measured between captions,
/// because it changes on shared machines. Exit code 0: success; 2: error.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Family and size of the model with random weights.
    #[arg(long, visible_alias = "family", value_enum, default_value_t = Size::Full, conflicts_with = "model")]
    pub(crate) size: Size,
    /// Checkpoint folder to measure instead.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) model: Option<PathBuf>,
    /// How weights are kept in memory: packed as f32, bf16, int8 or int4, the last two optionally with a
    /// group size (int8:128); ordinary: f32 tensors that Burn's own operations multiply; auto: as in the
    /// checkpoint if that is packed, else what is fastest on the device. A packed checkpoint in this format
    /// is mapped into memory.
    #[arg(long, value_name = "WEIGHTS", default_value = "f32")]
    pub(crate) precision: Weights,
    /// Beams of a caption; 1 means greedy search.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) rows_per_image: NonZeroUsize,
    /// Generated tokens of a caption.
    #[arg(long, value_name = "N", default_value = "32")]
    pub(crate) tokens: NonZeroUsize,
    /// Images that are captioned together.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) images: NonZeroUsize,
    /// Captions of an image, each with its own beams.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) languages: NonZeroUsize,
    /// How often to measure everything; the report has medians.
    #[arg(long, value_name = "N", default_value = "5")]
    pub(crate) repeat: NonZeroUsize,
    /// Number of threads; 0 means one for each core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Device to compute on.
    #[arg(long, default_value = "flex")]
    pub(crate) device: String,
    /// Print a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
