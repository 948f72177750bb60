//! Measures how fast this machine trains captioners of two sizes: seconds of a forward pass, a backward pass
//! and an optimiser's step, and images per second.
//!
//! The report is written to stdout, everything else to stderr. Exit codes: 0 on success, 2 on an error.

mod arguments;
mod run;
mod update;

use std::process::ExitCode;

use crate::arguments::Arguments;

/// Why the measurement failed: exit code 2.
#[derive(Debug, thiserror::Error)]
enum TrainingError {
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    #[error(transparent)]
    Output(#[from] report::OutputError),
}

fn main() -> ExitCode {
    report::run(|program, arguments: Arguments| {
        let figures = device::with_threads(arguments.threads, || run::run(&arguments))
            .unwrap_or_else(|error| Err(error.into()))?;
        benches::print_figures(program, &figures, arguments.json, 4)?;
        Ok::<u8, TrainingError>(0)
    })
}
