//! Lines in, lines out.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::Path;

use report::{Program, Progress, message};
use serde::Serialize;
use translation::{TextError, Translated, Translator};

use crate::arguments::Arguments;
use crate::error::TranslateError;
use crate::input::{WINDOW_BYTES, read_line, without_break};

/// Lines that are read before any of them is translated, so that lines of similar lengths come together.
const WINDOW: usize = 1024;

/// A line of input.
struct Line {
    /// From 1, over all files.
    number: u64,
    /// Its text, or why it has none.
    text: Result<String, &'static str>,
}

/// A line of JSON.
#[derive(Serialize)]
struct Record<'a> {
    line: u64,
    source: Option<&'a str>,
    translations: Vec<Scored<'a>>,
    /// Whether the end of the source was left out.
    is_cut: bool,
    /// Why it is not translated.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Scored<'a> {
    text: &'a str,
    score: f32,
}

/// Translates all lines. Returns the exit code.
pub(crate) fn run(
    program: &Program,
    arguments: &Arguments,
    translator: &Translator,
) -> Result<u8, TranslateError> {
    // All of them, before anything is translated.
    for file in &arguments.files {
        whole_files::open(file)?;
    }
    let mut job = Job {
        program,
        arguments,
        translator,
        progress: Progress::hidden(),
        lines: Vec::new(),
        bytes: 0,
        number: 0,
        is_complete: true,
    };
    if arguments.files.is_empty() {
        let stdin = io::stdin();
        // Whoever types sees the translation of each line.
        let window = if stdin.is_terminal() { 1 } else { WINDOW };
        if window > 1 {
            job.progress = Progress::bar(0, "{pos} lines, {per_sec}");
        }
        job.read(&mut stdin.lock(), Path::new("stdin"), window)?;
    } else {
        job.progress = Progress::bar(0, "{pos} lines, {per_sec}");
        for path in &arguments.files {
            let file = File::open(path).map_err(TranslateError::read(path))?;
            job.read(&mut BufReader::new(file), path, WINDOW)?;
        }
    }
    job.translate()?;
    job.progress.finish();
    Ok(u8::from(!job.is_complete))
}

struct Job<'a> {
    program: &'a Program,
    arguments: &'a Arguments,
    translator: &'a Translator,
    progress: Progress,
    lines: Vec<Line>,
    /// Bytes of the lines.
    bytes: usize,
    number: u64,
    is_complete: bool,
}

impl Job<'_> {
    fn read(
        &mut self,
        input: &mut impl BufRead,
        path: &Path,
        window: usize,
    ) -> Result<(), TranslateError> {
        loop {
            let mut line = Vec::new();
            let count = read_line(input, &mut line).map_err(TranslateError::read(path))?;
            if count == 0 {
                return Ok(());
            }
            self.number += 1;
            let text = match std::str::from_utf8(without_break(&line)) {
                _ if count > line.len() as u64 => Err("the line is too long"),
                Ok(text) => Ok(text.to_owned()),
                Err(_) => Err("the line is not UTF-8 text"),
            };
            self.bytes += line.len();
            self.lines.push(Line {
                number: self.number,
                text,
            });
            if self.lines.len() >= window || self.bytes >= WINDOW_BYTES {
                self.translate()?;
                if self.program.is_closed() {
                    return Ok(()); // nobody reads the translations of the others
                }
            }
        }
    }

    /// Translates and prints the lines that were read.
    fn translate(&mut self) -> Result<(), TranslateError> {
        let lines = std::mem::take(&mut self.lines);
        self.bytes = 0;
        let texts: Vec<&str> = lines
            .iter()
            .map(|line| line.text.as_deref().unwrap_or(""))
            .collect();
        let before = self.number - lines.len() as u64;
        let progress = &self.progress;
        let config = self.translator.generation_config();
        let mut done = |count: usize| progress.set(before + count as u64, 0);
        let found = self.translator.translate_with(&texts, config, &mut done)?;
        for (line, found) in lines.iter().zip(found) {
            self.print(line, found)?;
        }
        Ok(())
    }

    fn print(
        &mut self,
        line: &Line,
        found: Result<Translated, TextError>,
    ) -> Result<(), TranslateError> {
        let error = match (&line.text, &found) {
            (Err(error), _) => Some((*error).to_owned()),
            (_, Err(error)) => Some(message(error)),
            _ => None,
        };
        let translated = found.ok().filter(|_| error.is_none());
        self.is_complete &= error.is_none();
        if self.arguments.json {
            let translations = translated.iter().flat_map(|found| &found.translations);
            let translations = translations.map(|one| Scored {
                text: &one.text,
                score: one.score,
            });
            let record = Record {
                line: line.number,
                source: line.text.as_deref().ok(),
                translations: translations.collect(),
                is_cut: translated.as_ref().is_some_and(|found| found.is_cut),
                error,
            };
            return Ok(self.progress.suspend(|| self.program.json(&record))?);
        }
        let is_n_best = self.translator.generation_config().num_return_sequences > 1;
        let print = || -> Result<(), TranslateError> {
            let number = line.number;
            if let Some(error) = &error {
                self.program
                    .message(format_args!("line {number} is not translated: {error}"));
            }
            match &translated {
                None if is_n_best => {}
                None => self.program.line("")?,
                Some(found) if is_n_best => {
                    for one in &found.translations {
                        // The text is last, since it may hold anything but a line break.
                        let text = on_one_line(&one.text);
                        let line = format!("{number} {:.4} {text}", one.score);
                        self.program.line(line)?;
                    }
                }
                Some(found) => {
                    if found.is_cut {
                        let message = format_args!("line {number} is too long and was cut");
                        self.program.message(message);
                    }
                    self.program.line(on_one_line(&found.best().text))?;
                }
            }
            Ok(())
        };
        self.progress.suspend(print)
    }
}

/// A translation without line breaks, since a line of input is a line of output.
fn on_one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_translation_is_one_line() {
        assert_eq!(on_one_line("a\nb\r\nc d"), "a b  c d");
    }
}
