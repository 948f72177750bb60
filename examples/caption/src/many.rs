//! Many pictures, which share the steps of the model.

use std::io::{IsTerminal, stderr};
use std::ops::ControlFlow;
use std::time::Duration;

use captioning::{Failure, LanguageCaptions, Pipeline, RgbImage};
use report::{Fault, Progress};

use crate::error::{PictureError, StartError};
use crate::inputs::{Inputs, Picture, PictureDecoder};
use crate::job::Job;
use crate::output::Captioned;

/// What the progress bar shows.
const BAR: &str = "{bar:30} {pos}/{len} pictures, {per_sec}, {eta} left";

/// Captions pictures and prints their captions in order. Returns whether every one has a caption in every language.
pub(crate) fn caption(job: &Job<'_>, inputs: &Inputs) -> Result<bool, StartError> {
    let units: Vec<usize> = (0..inputs.units.len()).collect();
    let progress = progress(inputs, &units);
    let decoder = &job.decoder;
    let mut complete = Ok(true);
    pipeline(job)?.run(
        inputs.pictures(units),
        |item| open(&mut item.picture, decoder),
        |record| {
            let picture = &record.picture.picture;
            let times = [record.encode, record.generate];
            let captioned = captioned(job, picture, record.captions, times);
            let printed = job.finish(picture, captioned, &progress);
            progress.advance();
            match (&mut complete, printed) {
                (Ok(complete), Ok(one)) => *complete &= one,
                (_, error) => complete = error,
            }
            // If nobody reads the captions of the others, they are not written.
            match complete.is_ok() && !job.program.is_closed() {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        },
    )?;
    progress.finish();
    Ok(complete?)
}

/// What captions pictures as the arguments say.
pub(crate) fn pipeline<'c>(job: &Job<'c>) -> Result<Pipeline<'c>, StartError> {
    let pipeline = Pipeline::new(job.captioner, job.languages, &job.chosen.options)?;
    Ok(pipeline.with_batch_size(job.arguments.batch_size))
}

/// A bar for the pictures of some units, if somebody sees it.
pub(crate) fn progress(inputs: &Inputs, units: &[usize]) -> Progress {
    match stderr().is_terminal() {
        true => Progress::bar(inputs.estimate(units), BAR),
        false => Progress::hidden(),
    }
}

/// Decodes a picture, whose bytes are not needed any more then.
pub(crate) fn open(
    picture: &mut Picture,
    decoder: &PictureDecoder,
) -> Result<RgbImage, PictureError> {
    let image = picture.open(decoder);
    picture.forget_bytes();
    image
}

/// The captions of a picture with their translations, or why there are none. `times` are those of encoding and generating.
pub(crate) fn captioned<'p>(
    job: &'p Job<'_>,
    picture: &'p Picture,
    captions: Result<Vec<LanguageCaptions>, Failure<PictureError>>,
    times: [Duration; 2],
) -> Result<Captioned<'p>, PictureError> {
    let captions = captions.map_err(|failure| match failure {
        Failure::Open(error) => error,
        Failure::Caption(source) => PictureError::caption(picture, source),
        fault => PictureError::fault(picture, Fault::new(fault.to_string())),
    })?;
    Ok(job.captioned(picture, captions, times))
}
