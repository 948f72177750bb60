use std::io::{self, Write};

use whole_files::StagedFile;

use super::{Row, Sink};

/// A JSON object a line.
pub(super) struct JsonLines(pub(super) StagedFile);

impl Sink for JsonLines {
    fn add(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.0.write_all(row.json()?.as_bytes())
    }

    fn finish(self: Box<Self>) -> io::Result<StagedFile> {
        Ok(self.0)
    }
}
