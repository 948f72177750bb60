//! Converts, composes and makes checkpoints.
//!
//! What was written goes to stdout, everything else to stderr. Exit codes: 0 the folder is written,
//! 2 it is not.

mod random;
mod side_files;
mod size;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::ProgressBar;
use packed_linear::Format;
use serde_json::json;
use vision_encoder_decoder::checkpoint::{Precision, SaveOptions, StagedFolder, WeightsForm};
use vision_encoder_decoder::{LoadError, Pretrained, SaveError};

use crate::random::RandomSize;
use crate::side_files::SideFiles;
use crate::size::Size;

/// Write a checkpoint as a Hugging Face folder that this project and transformers 5 open.
///
/// Reads every form of checkpoint: safetensors and PyTorch, whole or in shards, and the Flax form of
/// the published model. Tokenizer and preprocessing go along. A destination that exists keeps its
/// other files; docs/checkpoints.md says what a crash leaves of it.
///
/// Exit code 0: the folder is written; 2: it is not.
#[derive(Parser)]
#[command(version, allow_missing_positional = true)]
struct Arguments {
    /// Checkpoint to convert: a folder, or `owner/name[@revision][:subfolder]` on the Hugging Face Hub.
    #[arg(value_name = "SRC", required_unless_present_any = ["random", "encoder"], conflicts_with_all = ["random", "encoder"])]
    source: Option<String>,
    /// Folder to write.
    #[arg(value_name = "DST")]
    destination: PathBuf,
    /// Compose a model that is still to be trained: CLIP checkpoint, whole or its vision half.
    #[arg(long, value_name = "CLIP", requires = "decoder")]
    encoder: Option<String>,
    /// Compose a model that is still to be trained: mBART checkpoint, whole or its decoder.
    #[arg(long, value_name = "MBART", requires = "encoder")]
    decoder: Option<String>,
    /// Make a model with random weights.
    #[arg(long, value_name = "SIZE", conflicts_with = "encoder")]
    random: Option<RandomSize>,
    /// Seed of random weights.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "random")]
    seed: u64,
    /// Where to take the tokenizer from, if the checkpoint has none.
    #[arg(long, value_name = "MODEL")]
    tokenizer: Option<String>,
    /// How weights are stored: f32, f16 or bf16; by default as the source has them.
    #[arg(long)]
    precision: Option<Precision>,
    /// Pack weights for inference with this project alone: f32, bf16, int8 or int4, the last two
    /// perhaps with the size of a group (int8:128). The file is mapped when it is loaded.
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["precision", "max_shard_size"])]
    packed: Option<Format>,
    /// Largest file of weights.
    #[arg(long, value_name = "SIZE", default_value = "5GB")]
    max_shard_size: Size,
    /// Where to hold the model meanwhile.
    #[arg(long, default_value = "flex")]
    device: String,
    /// Print a JSON object that says what was written.
    #[arg(long)]
    json: bool,
}

/// Why nothing was written: exit code 2.
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
    #[error(
        "the tokenizer of {folder} has {tokens} tokens, but the model's vocabulary has {vocabulary}; they are of different models"
    )]
    Vocabulary {
        folder: PathBuf,
        tokens: usize,
        vocabulary: usize,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("convert: {}", report::message(&error));
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), ConvertError> {
    let start = Instant::now();
    // Made first: a destination that can't be written to is better known before a long load.
    let staged = StagedFolder::new(&arguments.destination)?;
    let progress = ProgressBar::new_spinner(); // hides itself where stderr is no terminal
    progress.enable_steady_tick(Duration::from_millis(100));
    progress.set_message("reading");
    let (pretrained, side_files) = source(arguments, staged.path())?;
    side_files.write_preprocessing(staged.path(), &pretrained.config)?;

    let options = SaveOptions {
        precision: arguments.precision.unwrap_or(pretrained.precision),
        max_shard_size: arguments.max_shard_size.0,
    };
    progress.set_message("writing");
    match arguments.packed {
        Some(_) => pretrained.write_packed(&staged)?,
        None => pretrained.write(&staged, &options)?,
    }
    staged.commit()?;
    progress.finish_and_clear();

    for part in pretrained.unknown_to_transformers() {
        eprintln!("convert: transformers has no place for {part} and ignores it");
    }
    if side_files::files_of_tokenizer(&arguments.destination).is_empty() {
        eprintln!(
            "convert: {} has no tokenizer; put sentencepiece.bpe.model or tokenizer.json of facebook/mbart-large-50 there, or name a folder that has one with --tokenizer",
            arguments.destination.display()
        );
    }
    print(
        arguments,
        pretrained.num_params(),
        &options,
        start.elapsed(),
    );
    Ok(())
}

/// The model, its tokenizer written already, and where the rest is that goes along with it.
fn source(arguments: &Arguments, staged: &Path) -> Result<(Pretrained, SideFiles), ConvertError> {
    let device = device::device(&arguments.device)?;
    let folder = |name: &Option<String>| name.as_deref().map(locate::checkpoint).transpose();
    let model = folder(&arguments.source)?;
    let (encoder, decoder) = (folder(&arguments.encoder)?, folder(&arguments.decoder)?);
    let named = arguments.tokenizer.as_deref();
    let named = named.map(locate::tokenizer).transpose()?;
    let side_files = SideFiles {
        preprocessing: model.clone().or(encoder.clone()),
        tokenizer_was_named: named.is_some(),
        tokenizer: named.or(model.clone()).or(decoder.clone()),
    };
    // Before the model: a tokenizer that is missing or damaged is better known at once, and takes
    // room that is given back.
    let tokens = side_files.write_tokenizer(staged)?;
    let pretrained = if let Some(size) = arguments.random {
        device.seed(arguments.seed);
        let options = random::generation_config();
        Pretrained::from_config(size.config(), options, arguments.packed, &device)
    } else if let (Some(encoder), Some(decoder)) = (encoder, decoder) {
        Pretrained::from_encoder_decoder(encoder, decoder, arguments.packed, &device)?
    } else {
        Pretrained::from_folder_as(model.unwrap_or_default(), arguments.packed, &device)?
    };
    let vocabulary = pretrained.config.decoder.vocab_size;
    match (tokens, &side_files.tokenizer) {
        (Some(tokens), Some(folder)) if tokens > vocabulary => Err(ConvertError::Vocabulary {
            folder: folder.clone(),
            tokens,
            vocabulary,
        }),
        _ => Ok((pretrained, side_files)),
    }
}

/// Says what was written.
fn print(arguments: &Arguments, parameters: usize, options: &SaveOptions, elapsed: Duration) {
    let destination = arguments.destination.display().to_string();
    let (precision, bytes) = match arguments.packed {
        Some(format) => {
            let file = arguments.destination.join(WeightsForm::Packed.file());
            let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
            (format.to_string(), bytes)
        }
        None => {
            let bytes = parameters as u64 * options.precision.size() as u64;
            (options.precision.to_string(), bytes)
        }
    };
    if arguments.json {
        let report = json!({
            "destination": destination,
            "parameters": parameters,
            "precision": precision,
            "weight_bytes": bytes,
            "seconds": elapsed.as_secs_f64(),
        });
        println!("{report}");
    } else {
        println!(
            "{destination}: {parameters} parameters in {precision}, {:.1} MB, written in {:.1} s",
            bytes as f64 / 1e6,
            elapsed.as_secs_f64()
        );
    }
}
