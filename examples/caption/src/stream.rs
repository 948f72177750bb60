use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;

use captioning::{CaptionEvent, Language};
use serde::Serialize;

/// Writes captions as they come.
///
/// All languages are written at once, but a terminal or a pipe has one place to write at: the lines
/// of later languages wait until those before them are complete. What is printed never changes, so
/// in the end it is what is printed without streaming.
pub(crate) struct Stream<'a> {
    picture: &'a Path,
    json: bool,
    lines: Vec<Line>,
    /// The line that is being printed.
    current: usize,
    /// Why nothing can be printed any more.
    failed: Option<io::Error>,
}

struct Line {
    language: Language,
    text: String,
    printed: usize,
    is_complete: bool,
}

/// The form of a line of JSON.
#[derive(Serialize)]
struct Progress<'a> {
    image: String,
    lang: &'a str,
    settled: &'a str,
    draft: &'a str,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(picture: &'a Path, languages: &[Language], json: bool) -> Self {
        let line = |language: &Language| Line {
            language: *language,
            text: String::new(),
            printed: 0,
            is_complete: false,
        };
        Self {
            picture,
            json,
            lines: languages.iter().map(line).collect(),
            current: 0,
            failed: None,
        }
    }

    /// Prints the picture's name.
    pub(crate) fn begin(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match (self.json, self.lines.first()) {
            (true, _) => Ok(()),
            (false, first) => {
                writeln!(out, "{}", self.picture.display())?;
                first.map_or(Ok(()), |line| write!(out, "  {}  ", line.language.code))?;
                out.flush()
            }
        }
    }

    /// Prints what is new, and says to stop if nobody reads any more.
    pub(crate) fn show(&mut self, event: &CaptionEvent<'_>) -> ControlFlow<()> {
        match self.try_show(event) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    /// Says whether everything was printed. A line that will not be completed ends where it is.
    pub(crate) fn end(self, is_complete: bool) -> io::Result<()> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match is_complete || self.json {
            true => Ok(()),
            false => writeln!(io::stdout()),
        }
    }

    fn try_show(&mut self, event: &CaptionEvent<'_>) -> io::Result<()> {
        match event {
            CaptionEvent::Draft {
                language,
                settled,
                draft,
                ..
            } => match self.json {
                true => self.write_json(*language, settled, draft),
                false => self.grow(*language, settled, false),
            },
            // As JSON the picture's own line has it.
            CaptionEvent::Finished {
                language, captions, ..
            } if !self.json => {
                let best = captions.first().map_or("", |best| best.text.as_str());
                self.grow(*language, best, true)
            }
            _ => Ok(()),
        }
    }

    /// Takes in what a line has become.
    fn grow(&mut self, language: Language, text: &str, is_complete: bool) -> io::Result<()> {
        // The same language may be asked for twice.
        let is_it = |line: &&mut Line| line.language == language && !line.is_complete;
        if let Some(line) = self.lines.iter_mut().find(is_it) {
            text.clone_into(&mut line.text);
            line.is_complete = is_complete;
        }
        self.print()
    }

    /// Prints what is new of the current line, and goes on to the next when it is complete.
    fn print(&mut self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        while let Some(line) = self.lines.get_mut(self.current) {
            if let Some(new) = line.text.get(line.printed..) {
                write!(out, "{new}")?;
                line.printed = line.text.len();
            }
            if !line.is_complete {
                break;
            }
            self.current += 1;
            writeln!(out)?;
            if let Some(next) = self.lines.get(self.current) {
                write!(out, "  {}  ", next.language.code)?;
            }
        }
        out.flush()
    }

    fn write_json(&self, language: Language, settled: &str, draft: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let progress = Progress {
            image: self.picture.display().to_string(),
            lang: language.code,
            settled,
            draft,
        };
        serde_json::to_writer(&mut out, &progress)?;
        writeln!(out)?;
        out.flush()
    }
}
