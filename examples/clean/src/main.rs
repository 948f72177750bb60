//! Cleans a data set of images and captions, and splits it into training and validation.
//!
//! The numbers go to stdout, everything else to stderr and to the output folder. Exit codes: 0 the data set is written,
//! 1 it is written but nothing was kept, or the work failed, 2 arguments or inputs can't be used, 130 stopped with Ctrl-C.

mod arguments;
mod copies;
mod error;
mod input;
mod output;
mod page;
mod samples;
mod summary;
mod table;
mod work;

use std::process::ExitCode;
use std::thread::available_parallelism;

use datasets::cleaning::{Cleaner, explanation};
use preprocess::text::Tokenizer;
use report::{Program, name};

use crate::arguments::Arguments;
use crate::error::CleanError;
use crate::input::Input;
use crate::output::Output;
use crate::work::{End, Work};

/// What a shell gives for a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    report::run(run)
}

fn run(program: &Program, arguments: Arguments) -> Result<u8, CleanError> {
    // Whatever can't be used is found before anything is written.
    let rules = arguments.rules()?;
    let mut cleaner = Cleaner::new(rules.clone())?;
    if let Some(folder) = &arguments.tokenizer {
        cleaner = cleaner.with_tokenizer(Tokenizer::from_folder(folder)?);
    }
    let input = Input::open(&arguments)?;
    let output = Output::open(&arguments.output)?;
    // Without a handler a signal ends the program at once, and only the last second of work is lost.
    let stop = report::stop_at_interrupt(INTERRUPTED);

    let work = Work {
        program,
        rules: &rules,
        input: &input,
        threads: arguments.threads.map_or_else(cores, usize::from),
        copy_images: arguments.copy_images,
        inputs: arguments.inputs.iter().map(|input| name(input)).collect(),
        stop,
    };
    let end = match work.run(cleaner, output) {
        Ok(end) => end,
        Err(error) => {
            program.error(&error);
            program.message("what was found out about pictures is kept; the same command goes on");
            return Ok(1);
        }
    };
    let tally = match end {
        End::Stopped { pictures } => {
            program.message(format_args!(
                "stopped after {} pictures; the same command goes on",
                summary::number(pictures)
            ));
            return Ok(INTERRUPTED);
        }
        End::Written(tally) => tally,
    };
    match arguments.json {
        true => program.json(&work.summary(&tally))?,
        false => summary::print(program, &tally)?,
    }
    if tally.kept_images() == 0 {
        let most = tally
            .example_reasons
            .iter()
            .max_by_key(|(_, count)| **count);
        let most = most.map(|(rule, _)| match explanation(rule) {
            Some(text) => format!(", mostly since {text} ({rule})"),
            None => format!(", mostly for {rule}"),
        });
        program.message(format_args!(
            "nothing was kept{}; {} shows what was dropped",
            most.unwrap_or_default(),
            name(&arguments.output.join(output::PAGE))
        ));
    }
    Ok(u8::from(tally.kept_images() == 0))
}

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}
