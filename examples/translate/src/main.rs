//! Translates texts line by line, or the captions of a table.
//!
//! Translations go to stdout or into the output table, everything else to stderr. Exit codes: 0 everything is translated and
//! nothing was flagged, 1 some lines or rows are not translated or were flagged, 2 the options, the model or the input can't
//! be used, or the output can't be written, 130 stopped with Ctrl-C.

mod arguments;
mod error;
mod input;
mod lines;
mod table;

use std::process::ExitCode;

use report::Program;
use translation::Translator;

use crate::arguments::Arguments;
use crate::error::TranslateError;

fn main() -> ExitCode {
    report::run(|program, arguments: Arguments| {
        let work = || run(program, &arguments);
        device::with_threads(arguments.threads, work).unwrap_or_else(|error| Err(error.into()))
    })
}

fn run(program: &Program, arguments: &Arguments) -> Result<u8, TranslateError> {
    let task = arguments.task()?;
    let language = arguments.language.as_deref();
    let translator = load(program, arguments, &arguments.model, language)?;
    match task {
        arguments::Task::Lines => lines::run(program, arguments, &translator),
        arguments::Task::Table(settings) => {
            let language = arguments.back_language.as_deref();
            let back = arguments.back.as_deref();
            let back = back
                .map(|model| load(program, arguments, model, language))
                .transpose()?;
            table::run(program, arguments, &settings, &translator, back.as_ref())
        }
    }
}

/// Finds and loads a model, which writes a language. What there is to say about it is printed.
fn load(
    program: &Program,
    arguments: &Arguments,
    model: &str,
    language: Option<&str>,
) -> Result<Translator, TranslateError> {
    let device = device::device(&arguments.device)?;
    let folder = locate::checkpoint(program, model)?;
    let settings = arguments.settings();
    let mut setting_error = None;
    let mut builder = Translator::builder()
        .folder(folder)
        .weights(arguments.precision)
        .memory_map(arguments.mmap)
        .batch_tokens(arguments.batch_tokens)
        .long_texts(arguments.long_texts())
        .generation(|defaults| match defaults.with_settings(&settings) {
            Ok(config) => config,
            Err(error) => {
                setting_error = Some(error);
                defaults
            }
        });
    if let Some(language) = language {
        builder = builder.language(language);
    }
    let translator = builder.build(&device)?;
    if let Some(error) = setting_error {
        return Err(TranslateError::Setting(error));
    }
    translator.validate(translator.generation_config())?;
    for notice in translator.notices() {
        program.message(notice);
    }
    Ok(translator)
}
