//! Captions pictures in many languages.
//!
//! Captions go to stdout, everything else to stderr. Exit codes: 0 every picture has a caption in every
//! language, 1 some captions are missing, 2 the options or the model can't be used, or the output can't be
//! written.

mod arguments;
mod attention;
mod error;
mod inputs;
mod job;
mod options;
mod output;
mod stream;

use std::cell::RefCell;
use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal};
use std::process::ExitCode;

use captioning::{Captioner, Language};
use clap::Parser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use preprocess::image::decode;

use crate::arguments::Arguments;
use crate::error::{PictureError, StartError};
use crate::job::Job;

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

/// Returns whether every picture has a caption in every language.
fn run(arguments: &Arguments) -> Result<bool, StartError> {
    let device = device::device(&arguments.device)?;
    let folder = arguments
        .model
        .as_deref()
        .map(locate::checkpoint)
        .transpose()?;
    let mut builder = Captioner::builder()
        .weights(arguments.precision)
        .memory_map(arguments.mmap);
    if let Some(folder) = &folder {
        builder = builder.folder(folder);
    }
    if let Some(tokenizer) = &arguments.tokenizer {
        builder = builder.tokenizer_folder(locate::tokenizer(tokenizer)?);
    }
    let captioner = builder.build(&device)?;
    let languages = arguments
        .lang
        .iter()
        .map(|text| captioner.language(text.trim()))
        .collect::<Result<Vec<Language>, _>>()?;
    // Before any picture, so that invalid options are reported only once.
    let options = options::options(arguments, &captioner, folder.as_deref(), &languages)?;
    if let Some(folder) = &arguments.attention {
        std::fs::create_dir_all(folder).map_err(|source| StartError::Folder {
            path: folder.clone(),
            source,
        })?;
    }
    if arguments.model.is_none() && io::stderr().is_terminal() {
        eprintln!(
            "Using the embedded model, which knows pictograms of 514 common things, but no photographs (see --help)."
        );
    }

    let job = Job {
        arguments,
        captioner: &captioner,
        languages: &languages,
        options: &options,
        decoding: decode::DecodeOptions::default()
            .with_apply_exif_orientation(arguments.apply_exif_orientation),
        names: RefCell::default(),
    };
    let (pictures, unusable) = inputs::pictures(&arguments.images);
    let mut complete = unusable.is_empty();
    for error in &unusable {
        report(error);
    }
    let progress = progress_bar(pictures.len());
    for picture in &pictures {
        match job.run(picture, &progress) {
            Ok(all) => complete &= all,
            // The reader has closed the pipe, as `head` does: stop without a message.
            Err(PictureError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => {
                return Ok(complete);
            }
            Err(PictureError::Output(error)) => return Err(error.into()),
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

/// A progress bar, which is shown on a terminal for more than one picture.
fn progress_bar(pictures: usize) -> ProgressBar {
    let target = if pictures > 1 {
        ProgressDrawTarget::stderr() // hidden if stderr is not a terminal
    } else {
        ProgressDrawTarget::hidden()
    };
    let progress = ProgressBar::with_draw_target(Some(pictures as u64), target);
    match ProgressStyle::with_template("{bar:30} {pos}/{len} pictures, {eta} left") {
        Ok(style) => progress.with_style(style),
        Err(_) => progress,
    }
}

/// Prints an error and its sources.
fn report(error: &dyn Error) {
    eprintln!("caption: {}", report::message(error));
}
