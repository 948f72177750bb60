//! Tables of tab-separated values, as the original project has them: one caption a row.

mod columns;
mod records;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use self::columns::unknown_language;
use self::columns::{Fault, Layout, Row};
use self::records::{Record, Records, State};
use crate::example::{Example, ImageSource, Origin};
use crate::{Entry, Error, Options, Quoting, SkipReason, Skipped};

/// Bytes that are read at once from one end of a table to the other.
const READ_AHEAD: usize = 1 << 16;

/// Bytes that are read at once for one example.
const READ_ONE: usize = 1 << 12;

/// The largest number of captions in an example, so that a table whose rows all name one image does not end up in memory.
/// The rows that follow are an example of their own.
const MAX_CAPTIONS: usize = 1024;

/// The largest number of bytes in the captions of an example; rows that follow are an example of their own.
const MAX_CAPTION_BYTES: usize = 8 << 20;

/// An open table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    path: Arc<Path>,
    file: Arc<File>,
    images: PathBuf,
    layout: Layout,
    quoting: Quoting,
    limit: usize,
    /// Where the first row begins, and its line.
    first: (u64, u64),
}

impl Table {
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        let (file, _) = whole_files::open(path)?;
        let file = Arc::new(file);
        let quoting = options.quoting;
        let limit = options.max_row_bytes.max(1024);
        let mut records = Records::new(Arc::clone(&file), (0, 1), quoting, limit, READ_ONE);
        let header = records.next().map_err(|source| unreadable(path, source))?;
        let found = match header {
            None => Some("an empty file"),
            Some(record) if record.state != State::Complete => Some("a line without an end"),
            Some(_) => None,
        };
        if let Some(found) = found {
            return Err(Error::Header {
                path: path.to_owned(),
                found,
            });
        }
        let layout = Layout::new(path, records.fields(), options)?;
        let images = match &options.image_folder {
            Some(folder) => folder.clone(),
            None => path.parent().unwrap_or(Path::new("")).to_owned(),
        };
        Ok(Self {
            path: path.into(),
            file,
            images,
            layout,
            quoting,
            limit,
            first: records.place(),
        })
    }

    /// All examples in order.
    pub(crate) fn rows(&self) -> Rows {
        self.rows_from(self.first, READ_AHEAD)
    }

    /// The example that begins at this offset and line.
    pub(crate) fn example_at(&self, place: (u64, u64)) -> Result<Option<Example>, Error> {
        let mut rows = self.rows_from(place, READ_ONE);
        loop {
            match rows.next_entry()? {
                None => return Ok(None),
                Some((_, Entry::Example(example))) => return Ok(Some(example)),
                Some((_, Entry::Skipped(_))) => {}
            }
        }
    }

    fn rows_from(&self, place: (u64, u64), read_ahead: usize) -> Rows {
        let file = Arc::clone(&self.file);
        Rows {
            records: Records::new(file, place, self.quoting, self.limit, read_ahead),
            table: self.clone(),
            begun: None,
        }
    }

    fn origin(&self, line: u64) -> Origin {
        Origin {
            file: self.path.to_path_buf(),
            row: line,
        }
    }

    fn skipped(&self, line: u64, fault: Fault) -> Skipped {
        Skipped {
            origin: self.origin(line),
            image: fault.image,
            reason: fault.reason,
            detail: fault.detail,
        }
    }
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::Read(whole_files::ReadError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Reads a table's rows and joins those of one image.
pub(crate) struct Rows {
    table: Table,
    records: Records,
    /// The example whose rows are being read.
    begun: Option<Begun>,
}

struct Begun {
    place: (u64, u64),
    image: String,
    example: Example,
    caption_bytes: usize,
}

impl Rows {
    /// The next example with the offset and line of its first row, or the next row that can't be used; `None` at the end.
    ///
    /// A row that can't be used does not end an example: it is reported before it.
    pub(crate) fn next_entry(&mut self) -> Result<Option<((u64, u64), Entry)>, Error> {
        loop {
            let record = self
                .records
                .next()
                .map_err(|source| unreadable(&self.table.path, source))?;
            let Some(record) = record else {
                let last = self.begun.take();
                return Ok(last.map(|begun| (begun.place, Entry::Example(begun.example))));
            };
            let place = (record.offset, record.line);
            match self.row(record) {
                Ok(row) => {
                    if let Some(begun) = self.add(place, row) {
                        return Ok(Some((begun.place, Entry::Example(begun.example))));
                    }
                }
                Err(fault) => {
                    let skipped = self.table.skipped(record.line, fault);
                    return Ok(Some((place, Entry::Skipped(skipped))));
                }
            }
        }
    }

    fn row(&self, record: Record) -> Result<Row, Fault> {
        let fault = |reason, detail| Fault {
            image: None,
            reason,
            detail,
        };
        match record.state {
            State::Complete => self.table.layout.row(self.records.fields()),
            State::TooLong => {
                let detail = format!("expected at most {} bytes", self.table.limit);
                Err(fault(SkipReason::TooLong, detail))
            }
            State::UnclosedQuote => {
                let detail = "a field begins with a quotation mark that only a later row closes; if quotation marks \
                              are ordinary characters in this table, say so in the options"
                    .to_owned();
                Err(fault(SkipReason::UnclosedQuote, detail))
            }
        }
    }

    /// Adds a row to its example; the example before it, if this row begins another.
    fn add(&mut self, place: (u64, u64), row: Row) -> Option<Begun> {
        if let Some(begun) = &mut self.begun
            && begun.image == row.image
            && begun.example.captions.len() < MAX_CAPTIONS
            && begun.caption_bytes < MAX_CAPTION_BYTES
        {
            begun.caption_bytes += row.caption.text.len();
            begun.example.captions.push(row.caption);
            return None;
        }
        let example = Example {
            image: ImageSource::File(self.table.images.join(&row.image)),
            url: row.url,
            origin: self.table.origin(place.1),
            captions: Vec::new(),
        };
        let mut begun = Begun {
            place,
            image: row.image,
            caption_bytes: row.caption.text.len(),
            example,
        };
        begun.example.captions.push(row.caption);
        self.begun.replace(begun)
    }
}
