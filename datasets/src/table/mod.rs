//! Tables of tab-separated values, as the original project has them: one caption a row.

mod columns;
mod records;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use self::columns::unknown_language;
use self::columns::{Fault, Layout, Row};
use self::records::{Record, Records, State};
use crate::example::{Example, ImageSource, Origin};
use crate::positioned::{OpenFiles, Stamp, unreadable};
use crate::source::{Place, Walk};
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

/// Rows that can't be used, between those of an example; after more, the example is complete.
const MAX_SKIPPED: usize = 256;

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    path: Arc<Path>,
    files: Arc<OpenFiles>,
    stamp: Stamp,
    images: PathBuf,
    layout: Layout,
    quoting: Quoting,
    limit: usize,
    /// Where the first row begins, and its line.
    first: Place,
}

impl Table {
    pub(crate) fn open(
        path: &Path,
        options: &Options,
        files: &Arc<OpenFiles>,
    ) -> Result<Self, Error> {
        let (file, metadata) = whole_files::open(path)?;
        let quoting = options.quoting;
        let limit = options.max_row_bytes.max(1024);
        let mut records = Records::new(
            Arc::new(file),
            Place { offset: 0, row: 1 },
            quoting,
            limit,
            READ_ONE,
        );
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
            files: Arc::clone(files),
            stamp: Stamp::new(&metadata),
            images,
            layout,
            quoting,
            limit,
            first: records.place(),
        })
    }

    /// All examples in order.
    pub(crate) fn rows(&self) -> Result<Rows, Error> {
        self.rows_from(self.first, READ_AHEAD)
    }

    /// The rows from the beginning of an example.
    pub(crate) fn rows_at(&self, place: Place) -> Result<Rows, Error> {
        self.rows_from(place, READ_ONE)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }

    fn rows_from(&self, place: Place, read_ahead: usize) -> Result<Rows, Error> {
        let file = self.files.get(&self.path, |_, _| Ok(()))?;
        // Each time, since it may be written to while it is open.
        let metadata = file.metadata();
        let metadata = metadata.map_err(|source| unreadable(&self.path, source))?;
        self.stamp.check(&self.path, &metadata)?;
        Ok(Rows {
            records: Records::new(file, place, self.quoting, self.limit, read_ahead),
            table: self.clone(),
            begun: None,
            skipped: 0,
            waiting: None,
        })
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

/// Reads a table's rows and joins those of one image.
pub(crate) struct Rows {
    table: Table,
    records: Records,
    /// The example whose rows are being read.
    begun: Option<Begun>,
    /// Rows that were skipped since the last one that was not.
    skipped: usize,
    /// A skipped row that is reported after the example before it.
    waiting: Option<(Place, Skipped)>,
}

struct Begun {
    place: Place,
    image: String,
    example: Example,
    caption_bytes: usize,
}

impl Walk for Rows {
    /// A row that can't be used does not end an example: it is reported before it.
    fn next_entry(&mut self) -> Result<Option<(Place, Entry)>, Error> {
        if let Some((place, skipped)) = self.waiting.take() {
            return Ok(Some((place, Entry::Skipped(skipped))));
        }
        loop {
            let record = self
                .records
                .next()
                .map_err(|source| unreadable(&self.table.path, source))?;
            let Some(record) = record else {
                let last = self.begun.take();
                return Ok(last.map(|begun| (begun.place, Entry::Example(begun.example))));
            };
            let place = Place {
                offset: record.offset,
                row: record.line,
            };
            match self.row(record) {
                Ok(row) => {
                    self.skipped = 0;
                    if let Some(begun) = self.add(place, row) {
                        return Ok(Some((begun.place, Entry::Example(begun.example))));
                    }
                }
                Err(fault) => {
                    let skipped = self.table.skipped(record.line, fault);
                    self.skipped += 1;
                    if self.skipped > MAX_SKIPPED
                        && let Some(begun) = self.begun.take()
                    {
                        self.waiting = Some((place, skipped));
                        return Ok(Some((begun.place, Entry::Example(begun.example))));
                    }
                    return Ok(Some((place, Entry::Skipped(skipped))));
                }
            }
        }
    }
}

impl Rows {
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
    fn add(&mut self, place: Place, row: Row) -> Option<Begun> {
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
            origin: self.table.origin(place.row),
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
