//! Captions pictures in many languages.
//!
//! Captions go to stdout, everything else to stderr. Exit codes: 0 every picture has a caption in every
//! language, 1 some captions are missing, 2 the options or the model can't be used, or the output can't be
//! written.

mod arguments;
mod attention;
mod choice;
mod error;
mod inputs;
mod job;
mod many;
mod options;
mod output;
mod outputs;
mod stream;
mod verbose;

use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use captioner::Loaded;
use report::{Program, Progress};
use translation::Translator;

use crate::arguments::Arguments;
use crate::error::StartError;
use crate::inputs::{Inputs, PictureDecoder};
use crate::job::Job;

fn main() -> ExitCode {
    report::run(|program, arguments: Arguments| {
        let complete = arguments.model.with_threads(|| run(program, &arguments));
        complete.map(|complete| u8::from(!complete))
    })
}

/// Returns whether every picture has a caption in every language.
fn run(program: &Program, arguments: &Arguments) -> Result<bool, StartError> {
    let Loaded { captioner, folder } = arguments.model.load(program)?;
    let languages = captioner::languages_or_default(&captioner, &arguments.lang)?;
    // Before any picture, so that invalid options are reported only once.
    let folder = folder.as_deref();
    let chosen = options::choose(arguments, &captioner, folder, &languages)?;
    if let Some(folder) = &arguments.attention {
        std::fs::create_dir_all(folder).map_err(|source| StartError::Folder {
            path: folder.clone(),
            source,
        })?;
    }
    if arguments.verbose {
        verbose::say(program, arguments, &captioner, folder, &chosen);
    } else {
        for note in &chosen.in_vain {
            program.message(note);
        }
    }
    if !arguments.verbose && arguments.model.model.is_none() && io::stderr().is_terminal() {
        program.message(
            "using the embedded model, which knows pictograms of 514 common things, but no photographs (see --help)",
        );
    }

    let translator = match &arguments.translate {
        Some(_) if languages.len() > 1 => return Err(StartError::Translate(languages.len())),
        Some(model) => Some(load_translator(program, arguments, model)?),
        None => None,
    };
    let job = Job {
        program,
        arguments,
        captioner: &captioner,
        folder,
        translator: translator.as_ref(),
        languages: &languages,
        chosen: &chosen,
        decoder: PictureDecoder::new(arguments.pictures.decoding(arguments.as_published)),
        names: RefCell::default(),
    };
    caption_all(&job)
}

/// Loads the model that translates captions, with weights kept as those of the captioner are.
fn load_translator(
    program: &Program,
    arguments: &Arguments,
    model: &str,
) -> Result<Translator, StartError> {
    let folder = locate::checkpoint(program, model)?;
    let builder = Translator::builder()
        .folder(folder)
        .weights(arguments.model.precision);
    let device = device::device(&arguments.model.device).map_err(captioner::LoadError::from)?;
    let translator = builder.build(&device)?;
    for notice in translator.notices() {
        program.message(notice);
    }
    Ok(translator)
}

/// Captions all pictures. Returns whether every one has a caption in every language.
fn caption_all(job: &Job<'_>) -> Result<bool, StartError> {
    let (program, arguments) = (job.program, job.arguments);
    let (inputs, unusable) = Inputs::find(arguments);
    let mut complete = unusable.is_empty();
    for error in &unusable {
        program.error(error);
    }
    if let Some(folder) = &arguments.output {
        return Ok(outputs::write(job, &inputs, folder)? && complete);
    }
    let several = inputs.count().is_none_or(|count| count > 1);
    if several && job.can_share_steps() {
        return Ok(many::caption(job, &inputs)? && complete);
    }
    let units: Vec<usize> = (0..inputs.units.len()).collect();
    let progress = match several {
        true => many::progress(&inputs, &units),
        false => Progress::hidden(),
    };
    for item in inputs.pictures(units) {
        complete &= job.run(&item.picture, &progress)?;
        if program.is_closed() && arguments.attention.is_none() {
            break; // nobody reads the captions of the others
        }
        progress.advance();
    }
    progress.finish();
    Ok(complete)
}
