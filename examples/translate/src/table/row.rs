use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::TranslateError;
use crate::input::{LONGEST_LINE, read_line, without_break};

/// Lines that a row may have within quotation marks, as in `datasets`. More of them are a mark that is never closed.
const MAX_LINES: usize = 64;

/// The rows of a table, as they are written.
pub(super) struct Rows {
    path: PathBuf,
    input: BufReader<File>,
    /// Bytes that were read.
    position: u64,
    /// Rows that were read, the first included.
    count: u64,
}

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// From 1, the names of the columns.
    pub(super) number: u64,
    /// Its bytes, with its line break if it has one.
    pub(super) bytes: Vec<u8>,
}

impl Rows {
    pub(super) fn open(path: &Path) -> Result<Self, TranslateError> {
        let file = File::open(path).map_err(TranslateError::read(path))?;
        Ok(Self {
            path: path.to_owned(),
            input: BufReader::with_capacity(1 << 16, file),
            position: 0,
            count: 0,
        })
    }

    /// Goes to the row after `count` rows, which begins at a position.
    pub(super) fn seek(&mut self, position: u64, count: u64) -> Result<(), TranslateError> {
        let found = self.input.seek(SeekFrom::Start(position));
        found.map_err(TranslateError::read(&self.path))?;
        (self.position, self.count) = (position, count);
        Ok(())
    }

    /// Where the next row begins.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The next row; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Row>, TranslateError> {
        let mut bytes = Vec::new();
        let first = self.line(&mut bytes)?;
        if first == 0 {
            return Ok(None);
        }
        let (first_length, mut read) = (bytes.len(), first);
        for _ in 1..MAX_LINES {
            let is_open = bytes.len() < LONGEST_LINE && fields(&bytes).is_none();
            let count = if is_open { self.line(&mut bytes)? } else { 0 };
            if count == 0 {
                break;
            }
            read += count;
        }
        // A quotation mark that is not closed: the lines after it are rows of their own.
        if fields(&bytes).is_none() && read > first {
            bytes.truncate(first_length);
            self.seek(self.position - read + first, self.count)?;
        }
        self.count += 1;
        Ok(Some(Row {
            number: self.count,
            bytes,
        }))
    }

    /// Appends a line, and returns how many bytes were read.
    fn line(&mut self, bytes: &mut Vec<u8>) -> Result<u64, TranslateError> {
        let mut line = Vec::new();
        let count = read_line(&mut self.input, &mut line);
        let count = count.map_err(TranslateError::read(&self.path))?;
        // A row that is cut can't be written as it was.
        if count > line.len() as u64 {
            let row = self.count + 1;
            let error = format!("row {row} has a line that is longer than {LONGEST_LINE} bytes");
            let error = io::Error::new(ErrorKind::InvalidData, error);
            return Err(TranslateError::read(&self.path)(error));
        }
        self.position += count;
        bytes.extend(line);
        Ok(count)
    }
}

/// The fields of a row; `None` if a quotation mark is not closed, or a field is not UTF-8 text.
///
/// A field that begins with a quotation mark ends with the next that is not doubled, as `clean` and pandas write it.
pub(super) fn fields(row: &[u8]) -> Option<Vec<String>> {
    let row = std::str::from_utf8(without_break(row)).ok()?;
    let mut fields = Vec::new();
    let mut rest = row;
    loop {
        let mut field = String::new();
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = quoted;
            loop {
                let end = rest.find('"')?;
                field += &rest[..end];
                rest = &rest[end + 1..];
                match rest.strip_prefix('"') {
                    Some(after) => {
                        field.push('"');
                        rest = after;
                    }
                    None => break,
                }
            }
        }
        match rest.split_once('\t') {
            Some((last, after)) => {
                fields.push(field + last);
                rest = after;
            }
            None => {
                fields.push(field + rest);
                return Some(fields);
            }
        }
    }
}

/// Writes a row. A field with a quotation mark, a tab or a line break is put in quotation marks, with those in it doubled.
pub(super) fn write_row(fields: &[String]) -> Vec<u8> {
    let quoted = fields
        .iter()
        .map(|field| match field.contains(['"', '\t', '\n', '\r']) {
            true => format!("\"{}\"", field.replace('"', "\"\"")),
            false => field.clone(),
        });
    let mut row = quoted.collect::<Vec<_>>().join("\t");
    row.push('\n');
    row.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_as_they_were_written() {
        let row = ["a b", "", "say \"hi\"", "x\ty\nz", "é", "mid\"dle"].map(String::from);
        assert_eq!(fields(&write_row(&row)).unwrap(), row);
        assert_eq!(fields(b"a\tb\r\n").unwrap(), ["a", "b"]);
        assert_eq!(fields(b"a\t\"open\n"), None);
        assert_eq!(fields(b"a\t\xff\n"), None);
    }

    #[test]
    fn a_row_that_would_be_cut_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.tsv");
        let long = "x".repeat(LONGEST_LINE + 1);
        std::fs::write(&path, format!("a\tb\n{long}\n")).unwrap();
        let mut rows = Rows::open(&path).unwrap();
        rows.next().unwrap();
        let error = rows.next().unwrap_err();
        assert!(matches!(&error, TranslateError::Read { source, .. }
            if source.to_string().contains("row 2")));
    }

    #[test]
    fn rows_may_have_several_lines_and_an_open_quotation_mark_swallows_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.tsv");
        let open = format!("x\t\"open\n{}", "y\tz\n".repeat(MAX_LINES + 1));
        std::fs::write(&path, format!("a\t\"b\nc\"\n{open}last")).unwrap();
        let mut rows = Rows::open(&path).unwrap();
        assert_eq!(rows.next().unwrap().unwrap().bytes, b"a\t\"b\nc\"\n");
        assert_eq!(rows.next().unwrap().unwrap().bytes, b"x\t\"open\n");
        let (position, count) = (rows.position(), rows.count);
        let mut rest = 0;
        while rows.next().unwrap().is_some() {
            rest += 1;
        }
        assert_eq!(rest, MAX_LINES + 2);
        rows.seek(position, count).unwrap();
        assert_eq!(rows.next().unwrap().unwrap().number, 3);
    }
}
