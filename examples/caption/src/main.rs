//! Captions pictures in many languages.
//!
//! Captions go to stdout as they are made, everything else to stderr. Exit codes: 0 all pictures
//! are captioned, 1 some could not be, 2 nothing could be started.

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
    let tokenizer = tokenizer.as_ref().or(folder.as_ref());
    let captioner = match (&folder, tokenizer, arguments.precision) {
        (Some(folder), Some(tokenizer), None) => {
            Captioner::from_folder_with_tokenizer(folder, tokenizer, &device)?
        }
        (Some(folder), Some(tokenizer), format) => {
            Captioner::from_folder_as(folder, tokenizer, format, &device)?
        }
        (_, _, None) => Captioner::embedded(&device)?,
        (_, _, format) => Captioner::embedded_as(format, &device)?,
    };
    let languages = arguments
        .lang
        .iter()
        .map(|text| captioner.language(text.trim()))
        .collect::<Result<Vec<Language>, _>>()?;
    // Before any picture, so that wrong options are told once.
    let options = options::options(arguments, &captioner, folder.as_deref(), &languages)?;
    if let Some(folder) = &arguments.attention {
        std::fs::create_dir_all(folder).map_err(|source| StartError::Folder {
            path: folder.clone(),
            source,
        })?;
    }
    if arguments.model.is_none() && io::stderr().is_terminal() {
        eprintln!("Embedded model: pictograms of 514 common things, no photographs (see --help).");
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
            Ok(()) => {}
            // Nobody reads any more: stop as quietly as other tools do.
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
