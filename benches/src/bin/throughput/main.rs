//! Measures how fast this machine captions, compared with what its memory bandwidth allows.
//!
//! The report is written to stdout, everything else to stderr. Exit codes: 0 on success, 2 on an error.

mod arguments;
mod bandwidth;
mod run;
mod timed_model;
mod weight_bytes;

use std::process::ExitCode;

use crate::arguments::Arguments;

/// Why the measurement failed: exit code 2.
#[derive(Debug, thiserror::Error)]
enum ThroughputError {
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    #[error(transparent)]
    Load(#[from] pretrained::LoadError),
    #[error(transparent)]
    Generate(#[from] vision_encoder_decoder::GenerateError),
    #[error(transparent)]
    Prompt(#[from] generation::PromptError),
    #[error(transparent)]
    Output(#[from] report::OutputError),
}

fn main() -> ExitCode {
    report::run(|program, arguments: Arguments| {
        let figures = device::with_threads(arguments.threads, || run::run(&arguments))
            .unwrap_or_else(|error| Err(error.into()))?;
        benches::print_figures(program, &figures, arguments.json, 3)?;
        Ok::<u8, ThroughputError>(0)
    })
}
