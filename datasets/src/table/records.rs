//! Records of a tab-separated file from any offset, within a limit of memory.

use std::fs::File;
use std::io;
use std::sync::Arc;

use csv_core::{ReadRecordResult, ReaderBuilder, Terminator};

use crate::Quoting;
use crate::positioned::read_at;
use crate::source::Place;

/// Lines that a row may have within quotation marks. More of them are a quotation mark that is never closed, and without a
/// limit a table full of these would be scanned many times.
const MAX_LINES: u64 = 64;

/// Fields that a row may have.
const MAX_FIELDS: usize = 4096;

/// Bytes that are given to the parser at once.
const STEP: usize = 4096;

/// Reads records one after the other.
pub(super) struct Records {
    file: Arc<File>,
    buffer: Vec<u8>,
    /// The part of the buffer that is not consumed.
    unread: std::ops::Range<usize>,
    /// The offset of the first unread byte.
    offset: u64,
    /// The line of the first unread byte, from 1.
    line: u64,
    parser: csv_core::Reader,
    limit: usize,
    output: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
}

/// A record's place, and whether it can be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) offset: u64,
    pub(super) line: u64,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The fields are there.
    Complete,
    /// It is longer than the limit.
    TooLong,
    /// It goes on over the rows that follow; those are read again as rows.
    UnclosedQuote,
}

impl Records {
    /// Reads from the beginning of a record. `read_ahead` bytes are read at once.
    pub(super) fn new(
        file: Arc<File>,
        place: Place,
        quoting: Quoting,
        limit: usize,
        read_ahead: usize,
    ) -> Self {
        let parser = ReaderBuilder::new()
            .delimiter(b'\t')
            .quoting(quoting == Quoting::Minimal)
            .terminator(Terminator::CRLF)
            .build();
        Self {
            file,
            buffer: vec![0; read_ahead],
            unread: 0..0,
            offset: place.offset,
            line: place.row,
            parser,
            limit,
            output: vec![0; limit.min(512)],
            ends: vec![0; 16],
            fields: 0,
        }
    }

    /// Reads the next record that is not an empty line; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        if !self.skip_blank_lines()? {
            return Ok(None);
        }
        let (offset, line) = (self.offset, self.line);
        let state = self.parse()?;
        let state = match state {
            State::Complete if self.swallows_rows() => State::UnclosedQuote,
            state => state,
        };
        if state != State::Complete {
            self.resume_behind_line(offset, line)?;
        }
        Ok(Some(Record {
            offset,
            line,
            state,
        }))
    }

    /// The fields of the record that was read last, if it is complete.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends[..self.fields].iter().map(move |end| {
            let field = &self.output[start..*end];
            start = *end;
            field
        })
    }

    /// Where the next record begins, and its line.
    pub(super) fn place(&self) -> Place {
        Place {
            offset: self.offset,
            row: self.line,
        }
    }

    fn parse(&mut self) -> io::Result<State> {
        self.parser.reset();
        self.parser.set_line(1);
        let (mut written, mut ended) = (0, 0);
        loop {
            if self.unread.is_empty() {
                self.fill()?;
            }
            let end = self.unread.end.min(self.unread.start + STEP);
            // Empty at the end of the file, which is how the parser learns of it.
            let input = &self.buffer[self.unread.start..end];
            let (result, read, out, ends) = self.parser.read_record(
                input,
                &mut self.output[written..],
                &mut self.ends[ended..],
            );
            self.consume(read);
            written += out;
            ended += ends;
            match result {
                ReadRecordResult::Record | ReadRecordResult::End => break,
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.output.len() < self.limit => {
                    let longer = (self.output.len() * 2).min(self.limit);
                    self.output.resize(longer, 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_FIELDS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Ok(match self.parser.line() {
                        0 | 1 => State::TooLong,
                        _ => State::UnclosedQuote,
                    });
                }
            }
            if self.parser.line() > MAX_LINES {
                return Ok(State::UnclosedQuote);
            }
        }
        if self.parser.line() > MAX_LINES {
            return Ok(State::UnclosedQuote);
        }
        self.line += self.parser.line() - 1;
        self.fields = ended;
        Ok(State::Complete)
    }

    /// Whether a field holds both a line break and a tab: nobody's caption, but a row that follows.
    fn swallows_rows(&self) -> bool {
        let end = self.ends[..self.fields].last().copied().unwrap_or(0);
        let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
        self.output[..end].iter().any(is_break)
            && self
                .fields()
                .any(|field| field.iter().any(is_break) && field.contains(&b'\t'))
    }

    /// Goes back to the record and on to the end of its first line.
    fn resume_behind_line(&mut self, offset: u64, line: u64) -> io::Result<()> {
        self.offset = offset;
        self.line = line;
        self.unread = 0..0;
        self.fields = 0;
        loop {
            if self.unread.is_empty() && !self.fill()? {
                return Ok(());
            }
            let unread = &self.buffer[self.unread.clone()];
            match unread.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                // The line break itself is counted with the empty lines.
                Some(position) => {
                    self.consume(position);
                    return Ok(());
                }
                None => self.consume(self.unread.len()),
            }
        }
    }

    /// Whether there is anything after the line breaks.
    fn skip_blank_lines(&mut self) -> io::Result<bool> {
        loop {
            if self.unread.is_empty() && !self.fill()? {
                return Ok(false);
            }
            match self.buffer[self.unread.start] {
                b'\n' => self.line += 1,
                b'\r' => {}
                _ => return Ok(true),
            }
            self.consume(1);
        }
    }

    fn consume(&mut self, count: usize) {
        self.unread.start += count;
        self.offset += count as u64;
    }

    /// Reads on; whether there was anything.
    fn fill(&mut self) -> io::Result<bool> {
        let count = read_at(&self.file, &mut self.buffer, self.offset)?;
        self.unread = 0..count;
        Ok(count > 0)
    }
}
