//! Compares this implementation's results with those of a public one.
//!
//! Exit codes: 0 if all comparisons hold, 1 if some differ, 2 if an input can't be read, 3 if no
//! comparison differs but some could not be run.

mod cases;
mod hugging_face;
mod images;
mod input;
mod metrics;
mod model;
mod processors;
mod published;
mod report;
mod text;
mod tolerance;
mod training;
mod translator;

use std::path::PathBuf;
use std::process::ExitCode;

use ::report::Program;
use clap::{Parser, Subcommand};
use preprocess::image::decode::{Alpha, DecodeOptions};
use pretrained::{PretrainedTranslator, Weights};

use crate::input::InputError;
use crate::report::{Outcome, Report};

/// Compare a checkpoint, the preprocessing, the tokenizer or scores of captions with a public implementation's results.
///
/// Prints a line for each comparison. Exit code 0: all hold; 1: some differ; 2: an input can't be read;
/// 3: none differs, but some could not be run. If the reader of the output closes it, the comparisons go on, since
/// their result is the exit code.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print a JSON object for each comparison, without totals.
    ///
    /// Its fields: "what" was compared; "difference", the largest absolute one, and its "tolerance", both
    /// null where results have to be equal; "cases", and how many of them are "equal"; "status", which is
    /// "ok", "differs" or "not_run"; "reason", if the status needs one.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Hidden states, logits and generated texts of a checkpoint; token ids too, if it reads text.
    Model {
        /// Checkpoint folder, or `owner/name[@revision][:subfolder]` on the Hugging Face Hub.
        #[arg(value_name = "FOLDER")]
        model: String,
        /// Folder of reference.safetensors and the reference file; by default the checkpoint's.
        #[arg(long, value_name = "DIR")]
        reference: Option<PathBuf>,
        /// Name of the file with the generated texts.
        #[arg(long, value_name = "NAME", default_value = "reference.json")]
        reference_file: PathBuf,
        /// Compare with the published model's original code, which has a different search and truncates
        /// pixel values to integers.
        #[arg(long)]
        as_published: bool,
        /// Device to compute on.
        #[arg(long, default_value = "flex")]
        device: String,
        /// How weights are kept in memory: packed as f32, bf16, int8 or int4, the last two optionally with
        /// a group size (int8:128); ordinary: f32 tensors that Burn's own operations multiply; auto: as in
        /// the checkpoint if that is packed, else what is fastest on the device.
        #[arg(long, value_name = "WEIGHTS", default_value = "f32")]
        precision: Weights,
    },
    /// Pixel values computed from image files.
    Images {
        /// Folder with images/, pixels.safetensors and, for the options, processor_config.json,
        /// preprocessor_config.json or pixels.json.
        folder: PathBuf,
        /// Folder of the images, if it is not images/ in the folder of the reference.
        #[arg(long, value_name = "FOLDER")]
        images: Option<PathBuf>,
        /// What to do with transparency: drop keeps the stored colours, white and black blend them onto that
        /// colour.
        #[arg(long, default_value = "drop")]
        alpha: Alpha,
    },
    /// Token ids and decoded texts of a tokenizer.
    Text {
        /// Folder with the files of a tokenizer and reference.json, or with sentencepiece.bpe.model and
        /// tokenizer.json.reference.
        folder: PathBuf,
    },
    /// Scores after each logits processor.
    Processors {
        /// File of histories, scores, and the scores after each processor.
        file: PathBuf,
    },
    /// Scores of captions: NLTK's BLEU and tokens, sacreBLEU, chrF, and COCO's BLEU, ROUGE-L and CIDEr.
    Metrics {
        /// File of predictions, references and their scores.
        file: PathBuf,
    },
    /// Losses, gradient norms, learning rates and final weights of a training.
    Training {
        /// Folder with start/ (a checkpoint), batches.safetensors, reference.json and the checkpoints that it names.
        folder: PathBuf,
        /// Device to compute on.
        #[arg(long, default_value = "flex")]
        device: String,
    },
}

fn main() -> ExitCode {
    ::report::run(|program, arguments: Arguments| {
        run(program, arguments).map(|outcome| match outcome {
            Outcome::Holds => 0,
            Outcome::Differs => 1,
            Outcome::Incomplete => 3,
        })
    })
}

fn run(program: &Program, arguments: Arguments) -> Result<Outcome, InputError> {
    let mut report = Report::new(program, arguments.json);
    match arguments.command {
        Command::Model {
            model,
            reference,
            reference_file,
            as_published,
            device,
            precision,
        } => {
            let device = device::device(&device)?;
            let folder = locate::checkpoint(program, &model)?;
            let check = model::Check {
                folder: &folder,
                reference: reference.as_ref().unwrap_or(&folder),
                reference_file: &reference_file,
                as_published,
                weights: precision,
            };
            match PretrainedTranslator::is_in(&folder) {
                true => translator::verify(&check, &device, &mut report)?,
                false => model::verify(&check, &device, &mut report)?,
            }
        }
        Command::Images {
            folder,
            images,
            alpha,
        } => {
            let check = images::Check {
                images: images.unwrap_or_else(|| folder.join("images")),
                folder,
                decoding: DecodeOptions::default().with_alpha(alpha),
            };
            images::verify(&check, &mut report)?;
        }
        Command::Text { folder } => text::verify(&folder, &mut report)?,
        Command::Processors { file } => processors::verify(&file, &mut report)?,
        Command::Metrics { file } => metrics::verify(&file, &mut report)?,
        Command::Training { folder, device } => {
            let device = device::device(&device)?;
            training::verify(&folder, &device.autodiff(), &mut report)?;
        }
    }
    Ok(report.finish()?)
}
