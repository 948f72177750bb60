//! Captions pictures in many languages.
//!
//! Captions go to stdout as they are made, everything else to stderr. Exit codes: 0 all pictures
//! are captioned, 1 some could not be, 2 nothing could be started.

mod inputs;
mod output;

use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::slice;
use std::time::Instant;

use captioning::{Captioner, GenerationConfig, Language};
use clap::Parser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use preprocess::image::decode;

use crate::output::Captioned;

/// Caption pictures in many languages.
///
/// Without --model, the small embedded model is used: it knows 514 common things in six styles of
/// pictogram art, one or two on a plain background, in English, French, German and Spanish. It is no
/// model for photographs.
///
/// Exit code 0: all pictures are captioned; 1: some could not be; 2: nothing could be started.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Pictures, or folders of pictures.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Languages, by code (es_XX), short code (es) or English name (spanish).
    #[arg(long, value_delimiter = ',', default_value = "en,fr,de,es")]
    lang: Vec<String>,
    /// Checkpoint: a folder, or `owner/name[@revision][:subfolder]` on the Hugging Face Hub; without
    /// it, the embedded model.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Where to take the tokenizer from, if the checkpoint has none: likewise.
    #[arg(long, value_name = "MODEL", requires = "model")]
    tokenizer: Option<String>,
    /// Captions that the search pursues at once; 1 is greedy search.
    #[arg(long, value_name = "N", default_value_t = 4)]
    num_beams: usize,
    /// Longest caption in tokens, start token and language code included.
    #[arg(long, value_name = "N", default_value_t = 64)]
    max_length: usize,
    /// Above 0 favours long captions, below 0 short ones.
    #[arg(
        long,
        value_name = "X",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    length_penalty: f64,
    /// Captions per language, best first; at most --num-beams.
    #[arg(long, value_name = "N", default_value_t = 1)]
    num_return_sequences: usize,
    /// Caption as the published model's original code did, quirks included: cuts pixels to
    /// integers, prefers long captions, has one caption per language.
    #[arg(long)]
    as_published: bool,
    /// Turn pictures as their EXIF orientation says; the reference leaves them as they are.
    #[arg(long)]
    apply_exif_orientation: bool,
    /// Where to compute.
    #[arg(long, default_value = "flex")]
    device: String,
    /// Threads; 0 means one per core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Print one JSON object per picture. encode_ms is the time to prepare and encode it.
    #[arg(long)]
    json: bool,
}

/// Why nothing could be started: exit code 2.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    #[error(transparent)]
    Locate(#[from] locate::LocateError),
    #[error(transparent)]
    Captioning(#[from] captioning::Error),
    #[error("can't write the captions: {0}")]
    Output(#[from] io::Error),
}

/// Why one picture has no caption.
#[derive(Debug, thiserror::Error)]
enum PictureError {
    #[error(transparent)]
    Decode(#[from] preprocess::Error),
    #[error("{picture}: {source}")]
    Caption {
        picture: PathBuf,
        source: Box<captioning::Error>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let threads = arguments.threads;
    match device::with_threads(threads, || run(&arguments)).unwrap_or_else(|e| Err(e.into())) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            report(&error);
            ExitCode::from(2)
        }
    }
}

/// Returns whether every picture was captioned.
fn run(arguments: &Arguments) -> Result<bool, StartError> {
    let device = device::device(&arguments.device)?;
    let folder = arguments
        .model
        .as_deref()
        .map(locate::checkpoint)
        .transpose()?;
    let tokenizer = arguments
        .tokenizer
        .as_deref()
        .map(locate::tokenizer)
        .transpose()?;
    let captioner = match (&folder, &tokenizer) {
        (None, _) => Captioner::embedded(&device)?,
        (Some(folder), None) => Captioner::from_folder(folder, &device)?,
        (Some(folder), Some(tokenizer)) => {
            Captioner::from_folder_with_tokenizer(folder, tokenizer, &device)?
        }
    };
    let languages = arguments
        .lang
        .iter()
        .map(|text| captioner.language(text.trim()))
        .collect::<Result<Vec<Language>, _>>()?;
    let config = GenerationConfig {
        num_beams: arguments.num_beams,
        num_return_sequences: arguments.num_return_sequences,
        length_penalty: arguments.length_penalty,
        max_length: Some(arguments.max_length),
        max_new_tokens: None,
        ..match (arguments.as_published, &folder) {
            (true, Some(folder)) => captioner.as_published().generation_config(folder)?,
            _ => captioner.generation_config().clone(),
        }
    };
    // Before any picture, so that wrong options are told once.
    match arguments.as_published {
        true => captioner.as_published().validate(&config)?,
        false => captioner.validate(&config)?,
    }
    if arguments.model.is_none() && io::stderr().is_terminal() {
        eprintln!("Embedded model: pictograms of 514 common things, no photographs (see --help).");
    }

    let job = Job {
        captioner: &captioner,
        languages: &languages,
        config: &config,
        as_published: arguments.as_published,
        decoding: decode::DecodeOptions::default()
            .with_apply_exif_orientation(arguments.apply_exif_orientation),
    };
    let (pictures, unusable) = inputs::pictures(&arguments.images);
    let mut complete = unusable.is_empty();
    for error in &unusable {
        report(error);
    }
    let progress = progress_bar(pictures.len());
    for picture in &pictures {
        match job.caption(picture) {
            Ok(captioned) => {
                // Nobody reads any more: stop as quietly as other tools do.
                if !progress.suspend(|| print(arguments, &captioned))? {
                    return Ok(complete);
                }
            }
            Err(error) => {
                complete = false;
                progress.suspend(|| report(&error));
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(complete)
}

/// What is the same for all pictures.
struct Job<'a> {
    captioner: &'a Captioner,
    languages: &'a [Language],
    config: &'a GenerationConfig,
    as_published: bool,
    decoding: decode::DecodeOptions,
}

impl Job<'_> {
    fn caption<'p>(&self, picture: &'p Path) -> Result<Captioned<'p>, PictureError> {
        let in_picture = |source| PictureError::Caption {
            picture: picture.to_owned(),
            source: Box::new(source),
        };
        let image = decode::open(picture, &self.decoding)?;
        let (captioner, published) = (self.captioner, self.captioner.as_published());
        let (languages, config) = (self.languages, self.config);
        let images = slice::from_ref(&image);
        let start = Instant::now();
        let memory = match self.as_published {
            true => published.encode(images),
            false => captioner.encode(images),
        };
        let memory = memory.map_err(in_picture)?;
        let encoded = Instant::now();
        let captions = match self.as_published {
            true => published.caption_encoded(memory, languages, config),
            false => captioner.caption_encoded(memory, languages, config),
        };
        let mut captions = captions.map_err(in_picture)?;
        Ok(Captioned {
            picture,
            captions: captions.pop().unwrap_or_default(),
            encode: encoded - start,
            generate: encoded.elapsed(),
        })
    }
}

/// Prints captions; returns whether anybody still reads them.
fn print(arguments: &Arguments, captioned: &Captioned<'_>) -> Result<bool, StartError> {
    let mut out = io::stdout().lock();
    let result = if arguments.json {
        captioned.write_json(&mut out)
    } else {
        captioned.write_text(&mut out, arguments.num_return_sequences > 1)
    };
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Shown on a terminal for more than one picture.
fn progress_bar(pictures: usize) -> ProgressBar {
    let target = if pictures > 1 {
        ProgressDrawTarget::stderr() // hides itself where stderr is no terminal
    } else {
        ProgressDrawTarget::hidden()
    };
    let progress = ProgressBar::with_draw_target(Some(pictures as u64), target);
    match ProgressStyle::with_template("{bar:30} {pos}/{len} pictures, {eta} left") {
        Ok(style) => progress.with_style(style),
        Err(_) => progress,
    }
}

/// Prints an error and its causes.
fn report(error: &dyn Error) {
    eprintln!("caption: {}", report::message(error));
}
