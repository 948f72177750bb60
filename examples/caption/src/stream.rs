use std::ops::ControlFlow;

use captioning::{CaptionEvent, Language};
use report::{OutputError, Program};
use serde::Serialize;

use crate::arguments::Arguments;
use crate::inputs::Picture;
use crate::output::label;

/// The end of the line of a language without a caption, after the text that was printed before the search
/// failed.
const NO_CAPTION: &str = "[no caption]";

/// Prints captions while they are written.
///
/// All languages are written at the same time, but text can only be added at the end of the output, so the
/// line of a language waits until those before it are complete. Printed text never changes, so in the end the
/// output is the same as without streaming, except that a language without a caption has a line that says so.
pub(crate) struct Stream<'a> {
    program: &'a Program,
    picture: &'a Picture,
    json: bool,
    /// Whether captions are of no use once nobody reads them.
    ends_when_closed: bool,
    lines: Vec<Line>,
    /// The line that is being printed.
    current: usize,
    /// Why nothing more can be printed.
    failed: Option<OutputError>,
}

struct Line {
    language: Language,
    text: String,
    printed: usize,
    is_complete: bool,
}

impl Line {
    /// What is printed before the text.
    fn beginning(&self) -> String {
        format!("  {}", label(self.language))
    }

    /// Whether the line is of this language and not complete. A language may be asked for twice.
    fn is_open(&self, language: Language) -> bool {
        self.language == language && !self.is_complete
    }
}

/// A line of JSON.
#[derive(Serialize)]
struct Progress<'a> {
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_percent: Option<String>,
    lang: &'a str,
    settled: &'a str,
    draft: &'a str,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(
        program: &'a Program,
        picture: &'a Picture,
        languages: &[Language],
        arguments: &Arguments,
    ) -> Self {
        let line = |language: &Language| Line {
            language: *language,
            text: String::new(),
            printed: 0,
            is_complete: false,
        };
        Self {
            program,
            picture,
            json: arguments.json,
            ends_when_closed: arguments.attention.is_none(),
            lines: languages.iter().map(line).collect(),
            current: 0,
            failed: None,
        }
    }

    /// Prints the picture's name.
    pub(crate) fn begin(&self) -> Result<(), OutputError> {
        if self.json {
            return Ok(());
        }
        self.program.line(self.picture.name())?;
        match self.lines.first() {
            Some(first) => self.program.part(first.beginning()),
            None => Ok(()),
        }
    }

    /// Prints new text, and stops if it can't be printed or nobody reads it.
    pub(crate) fn show(&mut self, event: &CaptionEvent<'_>) -> ControlFlow<()> {
        match self.try_show(event) {
            Ok(()) if self.ends_when_closed && self.program.is_closed() => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    /// Ends the output. If the captions are not complete, this ends the line that is being printed.
    ///
    /// # Errors
    /// The error of [`show`](Self::show) if it could not print.
    pub(crate) fn end(self, is_complete: bool) -> Result<(), OutputError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match is_complete || self.json {
            true => Ok(()),
            false => self.program.line(""),
        }
    }

    fn try_show(&mut self, event: &CaptionEvent<'_>) -> Result<(), OutputError> {
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
            // With --json, the captions are in the line of the picture.
            CaptionEvent::Finished {
                language, captions, ..
            } if !self.json => {
                let best = captions.first().map_or("", |best| best.text.as_str());
                self.grow(*language, best, true)
            }
            CaptionEvent::Failed { language, .. } if !self.json => self.give_up(*language),
            _ => Ok(()),
        }
    }

    /// Completes the line of a language that has no caption.
    fn give_up(&mut self, language: Language) -> Result<(), OutputError> {
        let line = self.lines.iter_mut().find(|line| line.is_open(language));
        if let Some(line) = line {
            line.text.truncate(line.printed);
            if !line.text.is_empty() {
                line.text.push(' ');
            }
            line.text.push_str(NO_CAPTION);
            line.is_complete = true;
        }
        self.print()
    }

    /// Updates the text of a line.
    fn grow(
        &mut self,
        language: Language,
        text: &str,
        is_complete: bool,
    ) -> Result<(), OutputError> {
        let line = self.lines.iter_mut().find(|line| line.is_open(language));
        if let Some(line) = line {
            text.clone_into(&mut line.text);
            line.is_complete = is_complete;
        }
        self.print()
    }

    /// Prints the new text of the current line, and goes on to the next line when it is complete.
    fn print(&mut self) -> Result<(), OutputError> {
        while let Some(line) = self.lines.get_mut(self.current) {
            if let Some(new) = line.text.get(line.printed..) {
                self.program.part(new)?;
                line.printed = line.text.len();
            }
            if !line.is_complete {
                break;
            }
            self.current += 1;
            self.program.line("")?;
            if let Some(next) = self.lines.get(self.current) {
                self.program.part(next.beginning())?;
            }
        }
        Ok(())
    }

    fn write_json(
        &self,
        language: Language,
        settled: &str,
        draft: &str,
    ) -> Result<(), OutputError> {
        self.program.json(&Progress {
            image: self.picture.lossy(),
            image_percent: report::percent(self.picture.path()),
            lang: language.code,
            settled,
            draft,
        })
    }
}
