//! Converts and composes checkpoints, and creates ones with random weights.
//!
//! A description of what was written goes to stdout, everything else to stderr. Exit codes: 0 the folder was
//! written, 2 it was not.

mod model;
mod new_languages;
mod precision;
mod random;
mod side_files;
mod size;
mod source;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use checkpoint::{SaveError, SaveOptions, StagedFolder, WeightsForm};
use clap::Parser;
use packed_linear::Format;
use pretrained::LoadError;
use report::{OutputError, Program, Progress, name, percent};
use serde_json::json;

use crate::new_languages::Added;
use crate::precision::{Output, Precision};
use crate::random::RandomSize;
use crate::size::Size;
use crate::source::source;

/// Write a checkpoint as a Hugging Face folder that this project and transformers 5 open.
///
/// Reads captioners and translation models (Marian) in every form of checkpoint: safetensors and PyTorch, whole or
/// in shards, and the Flax form of the published model. Copies the tokenizer and the configuration of the
/// preprocessing too. A destination that
/// exists keeps its other files; docs/checkpoints.md says what is left after a crash.
///
/// Exit code 0: the folder was written; 2: it was not.
#[derive(Parser)]
#[command(version, allow_missing_positional = true)]
struct Arguments {
    /// Checkpoint to convert: a folder, or `owner/name[@revision][:subfolder]` on the Hugging Face Hub.
    #[arg(value_name = "SRC", required_unless_present_any = ["random", "encoder"], conflicts_with_all = ["random", "encoder"])]
    source: Option<String>,
    /// Folder to write.
    #[arg(value_name = "DST")]
    destination: PathBuf,
    /// Compose a model that is still to be trained, with the encoder of this CLIP checkpoint: a whole model or
    /// its vision half.
    #[arg(long, value_name = "CLIP", requires = "decoder")]
    encoder: Option<String>,
    /// Compose a model that is still to be trained, with the decoder of this checkpoint: a whole mBART or its
    /// decoder, GPT-2, BERT, RoBERTa or TrOCR's decoder.
    #[arg(long, value_name = "DECODER", requires = "encoder")]
    decoder: Option<String>,
    /// Give the decoder fresh cross-attention if its checkpoint has none, as those of GPT-2, BERT and RoBERTa.
    #[arg(long, requires = "decoder")]
    fresh_cross_attention: bool,
    /// Create a model with random weights.
    #[arg(long, value_name = "SIZE", conflicts_with = "encoder")]
    random: Option<RandomSize>,
    /// Seed of random weights.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "random")]
    seed: u64,
    /// Where to take the tokenizer from if the checkpoint has none: a folder, or a name on the Hub.
    #[arg(long, value_name = "MODEL")]
    tokenizer: Option<String>,
    /// Give the model languages that its tokenizer lacks, such as ca_ES or Catalan, separated by commas. They are
    /// then to be trained.
    #[arg(long, value_name = "LANGUAGES", value_delimiter = ',', conflicts_with_all = ["encoder", "random"])]
    add_language: Vec<String>,
    /// The language that added ones are like at first. Default: the mean of all.
    #[arg(long, value_name = "LANGUAGE", requires = "add_language")]
    like: Option<String>,
    /// How weights are stored: f32, f16 or bf16; or int8 or int4, which are always packed and may have a group
    /// size (int8:128). Default: as the source has them.
    #[arg(long)]
    precision: Option<Precision>,
    /// Pack weights of --precision f32 or bf16 too, in the layout of this project's kernels. Loading is faster,
    /// but other programs can't read the folder.
    #[arg(long, requires = "precision")]
    packed: bool,
    /// Maximum size of a file of weights. Packed weights are always one file.
    #[arg(long, value_name = "SIZE", default_value = "5GB")]
    max_shard_size: Size,
    /// Device that holds the model during the conversion.
    #[arg(long, default_value = "flex")]
    device: String,
    /// Print a JSON object that describes what was written. If the name of the folder is not UTF-8, its
    /// "destination_percent" has the bytes in the percent form of URLs.
    #[arg(long)]
    json: bool,
}

/// Why the folder was not written: exit code 2.
#[derive(Debug, thiserror::Error)]
enum ConvertError {
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    #[error(transparent)]
    Locate(#[from] locate::LocateError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Preprocess(#[from] preprocess::Error),
    #[error(transparent)]
    File(#[from] whole_files::ReadError),
    #[error(transparent)]
    Precision(#[from] precision::NotPackable),
    #[error("the tokenizer has the language {0} already; expected one that it lacks")]
    HasLanguage(String),
    #[error(
        "{} is a translation model, to which no languages can be added; leave out --add-language",
        name(.folder)
    )]
    LanguageOfTranslator { folder: PathBuf },
    #[error(
        "the tokenizer of {} has {tokens} tokens, but the model's vocabulary has {vocabulary}; they are of different models",
        name(.folder)
    )]
    Vocabulary {
        folder: PathBuf,
        tokens: usize,
        vocabulary: usize,
    },
    #[error("{} is written, but not the report", name(.folder))]
    Output {
        folder: PathBuf,
        source: OutputError,
    },
}

fn main() -> ExitCode {
    report::run(|program, arguments: Arguments| run(program, &arguments).map(|()| 0))
}

fn run(program: &Program, arguments: &Arguments) -> Result<(), ConvertError> {
    let start = Instant::now();
    let output = match arguments.precision {
        Some(precision) => Some(precision.output(arguments.packed)?),
        None => None,
    };
    let format = output.and_then(Output::format);
    // Before the model, which may take long to load: the destination may not be writable.
    let staged = StagedFolder::new(&arguments.destination)?;
    let progress = Progress::spinner();
    progress.set_message("reading");
    let (model, added) = source(program, arguments, format, staged.path())?;

    let options = SaveOptions {
        precision: match output {
            Some(Output::Ordinary(precision)) => precision,
            _ => model.precision(),
        },
        max_shard_size: arguments.max_shard_size.0,
    };
    progress.set_message("writing");
    match format {
        Some(_) => model.write_packed(&staged)?,
        None => model.write(&staged, &options)?,
    }
    staged.commit()?;
    progress.finish();

    for notice in model.notices() {
        program.message(notice);
    }
    for part in model.unknown_to_transformers() {
        program.message(format_args!(
            "transformers does not support {part} and ignores it"
        ));
    }
    if side_files::files_of_tokenizer(&arguments.destination).is_empty() {
        program.message(format_args!(
            "{} has no tokenizer; put {} there, or name a folder that has one with --tokenizer",
            name(&arguments.destination),
            model.tokenizer_to_put()
        ));
    }
    let written = Written {
        format,
        parameters: model.num_params(),
        options,
        added,
        elapsed: start.elapsed(),
    };
    print(program, arguments, &written).map_err(|source| ConvertError::Output {
        folder: arguments.destination.clone(),
        source,
    })
}

/// What was written.
struct Written {
    format: Option<Format>,
    parameters: usize,
    options: SaveOptions,
    added: Vec<Added>,
    elapsed: Duration,
}

/// Prints what was written.
fn print(program: &Program, arguments: &Arguments, written: &Written) -> Result<(), OutputError> {
    let Written {
        format,
        parameters,
        options,
        added,
        elapsed,
    } = written;
    let destination = &arguments.destination;
    let (precision, bytes) = match format {
        Some(format) => {
            let file = destination.join(WeightsForm::Packed.file());
            let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
            (format.to_string(), bytes)
        }
        None => {
            let bytes = *parameters as u64 * options.precision.size() as u64;
            (options.precision.to_string(), bytes)
        }
    };
    let seconds = elapsed.as_secs_f64();
    if arguments.json {
        let mut report = json!({
            "destination": destination.to_string_lossy(),
            "parameters": parameters,
            "precision": precision,
            "weight_bytes": bytes,
            "seconds": seconds,
        });
        if !added.is_empty() {
            let languages = added
                .iter()
                .map(|one| (one.code.clone(), one.token.id.into()));
            report["added_languages"] = serde_json::Value::Object(languages.collect());
        }
        if let Some(percent) = percent(destination) {
            report["destination_percent"] = percent.into();
        }
        return program.json(&report);
    }
    for Added { code, token } in added {
        program.message(format_args!("{code} is token {}", token.id));
    }
    program.line(format_args!(
        "{}: {parameters} parameters in {precision}, {:.1} MB, written in {seconds:.1} s",
        name(destination),
        bytes as f64 / 1e6,
    ))
}
