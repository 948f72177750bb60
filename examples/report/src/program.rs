use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{catch, escaped, message, panics};

/// A running program: its standard output, and its messages on stderr.
#[derive(Debug)]
pub struct Program {
    name: String,
    /// Whether the reader has closed the output.
    closed: AtomicBool,
}

/// The output can't be written, for another reason than a reader that has closed it.
#[derive(Debug, thiserror::Error)]
#[error("can't write to the standard output")]
pub struct OutputError(#[from] io::Error);

/// Runs a program that takes no options: `work` returns the exit code. An error is reported, with exit code 2.
pub fn run_without_arguments<E: Into<Box<dyn Error>>>(
    name: &str,
    work: impl FnOnce(&Program) -> Result<u8, E>,
) -> ExitCode {
    panics::silence();
    Program::new(name).run(work)
}

impl Program {
    /// A program of this name, which messages begin with.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            closed: AtomicBool::new(false),
        }
    }

    pub(crate) fn run<E: Into<Box<dyn Error>>>(
        &self,
        work: impl FnOnce(&Self) -> Result<u8, E>,
    ) -> ExitCode {
        let result = match catch(|| work(self)) {
            Ok(result) => result.map_err(Into::into),
            Err(fault) => Err(fault.into()),
        };
        ExitCode::from(result.unwrap_or_else(|error| {
            self.error(error.as_ref());
            2
        }))
    }

    /// Prints a line. Line breaks in it are escaped too.
    ///
    /// # Errors
    /// [`OutputError`] if it can't be written, but not if the reader has closed the output.
    pub fn line(&self, text: impl Display) -> Result<(), OutputError> {
        let text = text.to_string();
        self.write(&format!("{}\n", escaped(&text)))
    }

    /// Prints a part of a line at once.
    ///
    /// # Errors
    /// [`OutputError`] if it can't be written, but not if the reader has closed the output.
    pub fn part(&self, text: impl Display) -> Result<(), OutputError> {
        self.write(&escaped(&text.to_string()))
    }

    /// Prints a value as one line of JSON. What is [escaped](crate::is_escaped) in text has an escape of JSON's.
    ///
    /// # Errors
    /// [`OutputError`] if it can't be written, but not if the reader has closed the output.
    #[cfg(feature = "json")]
    pub fn json(&self, value: &impl serde::Serialize) -> Result<(), OutputError> {
        let line = crate::json_line(value).map_err(io::Error::from)?;
        self.write(&line)
    }

    /// Whether the reader has closed the output, so that printing more makes no sense.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Prints a message on stderr, as one line that begins with the program's name.
    pub fn message(&self, text: impl Display) {
        let text = text.to_string();
        let line = format!("{}: {}\n", self.name, escaped(&text));
        write_message(&line);
    }

    /// Prints an error and its sources as a [`message`](Self::message).
    pub fn error(&self, error: &dyn Error) {
        self.message(message(error));
    }

    /// Writes text as it is.
    pub(crate) fn write(&self, text: &str) -> Result<(), OutputError> {
        if self.is_closed() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            written => Ok(written?),
        }
    }
}

/// Writes to stderr as it is. There is no place to say that this failed.
pub(crate) fn write_message(text: &str) {
    let mut stderr = io::stderr().lock();
    drop(stderr.write_all(text.as_bytes()));
}
