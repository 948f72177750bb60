//! Measures what weights of fewer bits change: how many tokens of greedy captions stay the same, and by how
//! much logits differ.
//!
//! The report is written to stdout, everything else to stderr. Exit codes: 0 on success, 2 on an error.

mod compare;

use std::path::PathBuf;
use std::process::ExitCode;

use captioning::{Captioner, Weights, open_image};
use clap::Parser;
use packed_linear::Format;
use report::{OutputError, Program};
use serde_json::json;

use crate::compare::{Difference, compare};

/// Compare weights of fewer bits with f32: the greedy captions of pictures, and the logits after each token
/// of the f32 captions.
///
/// Exit code 0: success; 2: error.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Pictures.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Checkpoint folder [default: the embedded model].
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,
    /// Languages of the captions.
    #[arg(long, value_delimiter = ',', default_value = "en,fr,de,es")]
    lang: Vec<String>,
    /// Formats of the packed weights to compare: f32, bf16, int8 or int4, the last two optionally with a group
    /// size (int8:128).
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "bf16,int8,int8:64,int4,int4:32"
    )]
    precision: Vec<Format>,
    /// Print a JSON object for each precision.
    #[arg(long)]
    json: bool,
}

/// Why the comparison failed: exit code 2.
#[derive(Debug, thiserror::Error)]
enum QualityError {
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    #[error(transparent)]
    Captioning(#[from] captioning::Error),
    #[error(transparent)]
    Output(#[from] OutputError),
}

fn main() -> ExitCode {
    report::run(|program, arguments: Arguments| run(program, &arguments).map(|()| 0))
}

fn run(program: &Program, arguments: &Arguments) -> Result<(), QualityError> {
    let device = device::device("flex")?;
    let load = |format| {
        let builder = Captioner::builder().weights(Weights::Packed(format));
        match &arguments.model {
            Some(folder) => builder.folder(folder).build(&device),
            None => builder.build(&device),
        }
    };
    let exact = load(Format::F32)?;
    let images = arguments
        .images
        .iter()
        .map(open_image)
        .collect::<Result<Vec<_>, _>>()?;
    let languages = arguments
        .lang
        .iter()
        .map(|text| exact.language(text))
        .collect::<Result<Vec<_>, _>>()?;
    for format in &arguments.precision {
        let rounded = load(*format)?;
        let Difference {
            tokens,
            equal_tokens,
            captions,
            equal_captions,
            largest_logit_difference,
            logit_deviation,
        } = compare(&exact, &rounded, &images, &languages)?;
        let share = equal_tokens as f64 / tokens as f64;
        if arguments.json {
            let report = json!({
                "precision": format.to_string(),
                "tokens": tokens,
                "equal_tokens": equal_tokens,
                "captions": captions,
                "equal_captions": equal_captions,
                "largest_logit_difference": largest_logit_difference,
                "logit_deviation": logit_deviation,
            });
            program.json(&report)?;
        } else {
            program.line(format_args!(
                "{format}: {equal_tokens} of {tokens} tokens ({:.2} %), {equal_captions} of {captions} captions are equal; logits differ by at most {largest_logit_difference:.3}, their standard deviation is {logit_deviation:.3}",
                100.0 * share
            ))?;
        }
    }
    Ok(())
}
