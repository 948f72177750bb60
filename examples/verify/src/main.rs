//! Checks this implementation against what a public one computed.
//!
//! Exit codes: 0 all comparisons hold, 1 some differ, 2 an input can't be read, 3 none differs but
//! some could not be run.

mod cases;
mod hugging_face;
mod images;
mod input;
mod model;
mod processors;
mod published;
mod report;
mod text;
mod tolerance;

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Parser, Subcommand};
use packed_linear::{Format, FormatError};

use crate::input::InputError;
use crate::report::{Outcome, Report};

/// Check a checkpoint, the preprocessing or the tokenizer against a public implementation's results.
///
/// Prints a line per comparison. Exit code 0: all hold; 1: some differ; 2: an input can't be read;
/// 3: none differs, but some could not be run.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON object per comparison, without totals.
    ///
    /// Its fields: "what"; "difference", the largest absolute one, and "tolerance", null where
    /// only equality was asked for; "equal" and "cases", of which so many are equal; "status",
    /// which is "ok", "differs" or "not_run"; "reason" where there is something to say of that.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Hidden states, logits and generated texts of a checkpoint.
    Model {
        /// Checkpoint: a folder, or `owner/name[@revision][:subfolder]` on the Hugging Face Hub.
        #[arg(value_name = "FOLDER")]
        model: String,
        /// Folder with reference.safetensors and the reference file; by default the checkpoint's.
        #[arg(long, value_name = "DIR")]
        reference: Option<PathBuf>,
        /// Name of the file with the generated texts.
        #[arg(long, value_name = "NAME", default_value = "reference.json")]
        reference_file: PathBuf,
        /// Compare with what the published model's original code returns, quirks included: its
        /// search, on pixels that are cut to integers.
        #[arg(long)]
        as_published: bool,
        /// Where to compute.
        #[arg(long, default_value = "flex")]
        device: String,
        /// How weights are stored in memory: f32, bf16, int8 or int4, the last two perhaps with the
        /// size of a group (int8:128); or ordinary, unpacked f32 weights.
        #[arg(long, default_value = "f32")]
        precision: InMemory,
    },
    /// Pixel values of image files.
    Images {
        /// Folder with images/, pixels.json and pixels.safetensors.
        folder: PathBuf,
    },
    /// Token ids and decoded texts of a tokenizer.
    Text {
        /// Folder with sentencepiece.bpe.model and tokenizer.json.reference.
        folder: PathBuf,
    },
    /// What logits processors make of scores.
    Processors {
        /// File with histories, scores, and the scores behind each processor.
        file: PathBuf,
    },
}

/// How weights are stored in memory.
#[derive(Clone, Copy)]
struct InMemory(Option<Format>);

impl FromStr for InMemory {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        match text {
            "ordinary" => Ok(Self(None)),
            _ => text.parse().map(|format| Self(Some(format))),
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(Outcome::Holds) => ExitCode::SUCCESS,
        Ok(Outcome::Differs) => ExitCode::from(1),
        Ok(Outcome::Incomplete) => ExitCode::from(3),
        Err(error) => {
            eprintln!("verify: {}", ::report::message(&error));
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Arguments) -> Result<Outcome, InputError> {
    let mut report = Report::new(arguments.json);
    match arguments.command {
        Command::Model {
            model,
            reference,
            reference_file,
            as_published,
            device,
            precision: InMemory(format),
        } => {
            let device = device::device(&device)?;
            let folder = locate::checkpoint(&model)?;
            let check = model::Check {
                folder: &folder,
                reference: reference.as_ref().unwrap_or(&folder),
                reference_file: &reference_file,
                as_published,
                format,
            };
            model::verify(&check, &device, &mut report)?;
        }
        Command::Images { folder } => images::verify(&folder, &mut report)?,
        Command::Text { folder } => text::verify(&folder, &mut report)?,
        Command::Processors { file } => processors::verify(&file, &mut report)?,
    }
    Ok(report.finish()?)
}
