//! Captions the pictures of a data set and scores the captions.
//!
//! Scores go to stdout, everything else to stderr. Exit codes: 0 all that can be evaluated was, 1 the evaluation was stopped
//! or nothing could be evaluated, 2 the options, the model or the data can't be used, or an output can't be written.

mod arguments;
mod captions;
mod data;
mod error;
mod evaluation;
mod options;
mod output;
mod page;
mod samples;
mod scores;
mod skips;

use std::process::ExitCode;
use std::time::Instant;

use captioning::{Captioner, ImageProcessor};
use preprocess::image::{Backend, ImageProcessorConfig};
use report::{Program, name};

use crate::arguments::Arguments;
use crate::captions::CaptionsFile;
use crate::error::StartError;
use crate::evaluation::{Evaluation, Results};
use crate::output::{Options, Summary};
use crate::scores::Corpora;

/// What the embedded model is called.
const EMBEDDED: &str = "the embedded model";

fn main() -> ExitCode {
    report::run(|program, arguments: Arguments| {
        arguments.model.with_threads(|| run(program, &arguments))
    })
}

/// Returns the exit code.
fn run(program: &Program, arguments: &Arguments) -> Result<u8, StartError> {
    // Before the model, which takes longest to load.
    let data = data::open(arguments)?;
    let data_names: Vec<String> = arguments.data.iter().map(|path| name(path)).collect();
    let captioner = load(program, arguments)?;
    let languages = data::languages(&captioner, &arguments.lang)?;
    let (options, in_vain) = options::choose(arguments, &captioner)?;
    for note in in_vain {
        program.message(note);
    }
    let captions = arguments.captions.as_deref().map(CaptionsFile::create);
    let corpora = Corpora::new(arguments.punkt.as_deref());
    let mut results = Results::new(corpora, captions.transpose()?);
    let decoding = arguments.pictures.decoding(arguments.as_published);
    let progress = data::progress(&data);
    let start = Instant::now();
    // Without a handler, a signal ends the program, and the captions of finished batches are still in their file.
    let stop = report::stop_at_interrupt(1);
    let evaluation = Evaluation {
        program,
        progress: &progress,
        captioner: &captioner,
        options: &options,
        languages: &languages,
        decoding: decoding.clone(),
        batch_size: usize::from(arguments.batch_size),
        stop: &stop,
    };
    let ran = evaluation.run(data.examples(), &mut results);
    progress.finish();

    let scores = results.corpora.scores();
    let summary = Summary {
        model: arguments.model.model.as_deref().unwrap_or(EMBEDDED),
        data: &data_names,
        pictures: results.pictures,
        stopped: results.stopped || ran.is_err(),
        seconds: start.elapsed().as_secs_f64(),
        batch_size: usize::from(arguments.batch_size),
        as_published: arguments.as_published,
        options: Options::of(&options.generation),
        languages: &scores,
        skipped: &results.skips,
    };
    // Even if the data could not be read to its end: what was found out is not lost.
    if ran.is_ok() || !scores.is_empty() {
        match arguments.json {
            true => program.json(&summary)?,
            false => output::print(program, &summary)?,
        }
        if let Some(path) = &arguments.html {
            let page = page::page(&summary, &results.samples, &decoding);
            whole_files::replace(path, page.as_bytes()).map_err(|source| StartError::Write {
                path: path.clone(),
                source,
            })?;
        }
    }
    ran?;
    if scores.is_empty() {
        program.message(format_args!(
            "nothing could be evaluated of {}",
            data_names.join(", ")
        ));
    }
    Ok(u8::from(results.stopped || scores.is_empty()))
}

fn load(program: &Program, arguments: &Arguments) -> Result<Captioner, StartError> {
    let captioner = arguments.model.load(program)?.captioner;
    if !arguments.as_published {
        return Ok(captioner);
    }
    let processor = ImageProcessor::new(ImageProcessorConfig {
        resize_backend: Backend::TorchvisionWithoutAntialias,
        ..captioner.image_processor().config().clone()
    });
    let processor = processor.map_err(captioning::Error::from)?;
    Ok(captioner.with_image_processor(processor)?)
}
