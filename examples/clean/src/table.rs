use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::CleanError;

/// A table of tab-separated values that is written row by row, as pandas writes one.
pub(crate) struct Table {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Table {
    /// Begins a table with the names of its columns.
    pub(crate) fn new(path: impl Into<PathBuf>, columns: &[&str]) -> Result<Self, CleanError> {
        let path = path.into();
        let file = File::create_new(&path).map_err(CleanError::write(&path))?;
        let mut table = Self {
            path,
            file: BufWriter::with_capacity(1 << 18, file),
        };
        table.row(columns)?;
        Ok(table)
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, fields: &[&str]) -> Result<(), CleanError> {
        write_row(&mut self.file, fields).map_err(CleanError::write(&self.path))
    }

    /// Waits until the table is on the disk.
    pub(crate) fn finish(self) -> Result<(), CleanError> {
        let Self { path, file } = self;
        let file = file.into_inner().map_err(|error| error.into_error());
        let synced = file.and_then(|file| file.sync_all());
        synced.map_err(CleanError::write(path))
    }
}

/// A field with a quotation mark, a tab or a line break is put in quotation marks, with those in it doubled.
fn write_row(file: &mut impl Write, fields: &[&str]) -> io::Result<()> {
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            file.write_all(b"\t")?;
        }
        match field.contains(['"', '\t', '\n', '\r']) {
            true => write!(file, "\"{}\"", field.replace('"', "\"\""))?,
            false => file.write_all(field.as_bytes())?,
        }
    }
    file.write_all(b"\n")
}

/// The longest address that is written. Longer ones hold content, and with a caption might be more than readers take.
const LONGEST_URL: usize = 64 << 10;

/// An address as a field of a table: control characters as URLs have them, and nothing in the place of one that is too long.
pub(crate) fn url(text: &str) -> Cow<'_, str> {
    if text.len() > LONGEST_URL {
        return Cow::Borrowed("");
    }
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut url = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character.is_control() {
            true => {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    // Writing to a string can't fail.
                    let _ = fmt::Write::write_fmt(&mut url, format_args!("%{byte:02X}"));
                }
            }
            false => url.push(character),
        }
    }
    Cow::Owned(url)
}

/// A path as a field of a table, if it can be one: UTF-8 without control characters.
pub(crate) fn field(path: &Path) -> Option<&str> {
    path.to_str()
        .filter(|text| !text.contains(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_no_control_characters() {
        assert_eq!(
            url("https://example.org/é?a=\"b\""),
            "https://example.org/é?a=\"b\""
        );
        assert_eq!(url("a\0b\tc\u{85}"), "a%00b%09c%C2%85");
        assert_eq!(url(&"a".repeat(LONGEST_URL + 1)), "");
    }

    #[test]
    fn fields_are_quoted_where_they_have_to_be() {
        let mut bytes = Vec::new();
        write_row(&mut bytes, &["a b", "", "say \"hi\"", "x\ty", "é"]).unwrap();
        assert_eq!(bytes, "a b\t\t\"say \"\"hi\"\"\"\t\"x\ty\"\té\n".as_bytes());
    }
}
