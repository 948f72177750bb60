//! Loads a running `serve` with many clients at a time, and measures answers per second and how long clients wait.
//!
//! ```sh
//! cargo run --release -p serve -- --port 8080 &
//! cargo run --release -p serving-load -- --clients 1,8,64 --pid $! captioning/tests/samples/*.png
//! ```
//!
//! Each client sends a picture, waits for the answer and sends the next, on a connection that it keeps. The table is
//! written to stdout, everything else to stderr. Exit codes: 0 on success, 1 if a request that was accepted got no answer,
//! 2 on an error.

mod arguments;
mod client;
mod figures;
mod load;
mod memory;

use std::process::ExitCode;

use crate::arguments::Arguments;
use crate::figures::Figures;

/// Why the measurement failed: exit code 2.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error("can't read {path}")]
    Picture {
        path: String,
        source: std::io::Error,
    },
    #[error("can't connect to {address}; is serve running there?")]
    Connect {
        address: String,
        source: std::io::Error,
    },
    #[error("can't start {clients} clients; allow more threads or ask for fewer")]
    Clients {
        clients: usize,
        source: std::io::Error,
    },
    #[error(transparent)]
    Output(#[from] report::OutputError),
}

fn main() -> ExitCode {
    report::run(|program, arguments: Arguments| {
        let requests = arguments.requests()?;
        let mut lost = 0;
        if !arguments.json {
            program.line(Figures::HEADER)?;
        }
        for clients in &arguments.clients {
            let figures = load::run(&arguments, *clients, &requests)?;
            lost += figures.lost;
            match arguments.json {
                true => program.json(&figures)?,
                false => program.line(&figures)?,
            }
        }
        Ok::<u8, LoadError>(u8::from(lost > 0))
    })
}
