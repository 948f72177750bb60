use std::io::{self, Write};

use captioning::Language;
use whole_files::StagedFile;

use super::Sink;
use super::row::{Row, column};

/// Values with commas between them, as RFC 4180 has them, in UTF-8.
pub(super) struct Csv<'a> {
    file: StagedFile,
    languages: &'a [Language],
}

impl<'a> Csv<'a> {
    /// Writes the names of the columns.
    pub(super) fn new(file: StagedFile, languages: &'a [Language]) -> io::Result<Self> {
        let mut csv = Self { file, languages };
        let mut names = ["image", "shard", "row"].map(String::from).to_vec();
        for what in ["caption", "score"] {
            names.extend(languages.iter().map(|language| column(what, *language)));
        }
        names.push("error".into());
        csv.line(&names)?;
        Ok(csv)
    }

    fn line(&mut self, values: &[String]) -> io::Result<()> {
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        self.file.write_all(values.join(",").as_bytes())?;
        self.file.write_all(b"\r\n")
    }
}

impl Sink for Csv<'_> {
    fn add(&mut self, row: &Row<'_>) -> io::Result<()> {
        let cells = row.cells(self.languages);
        let mut values = vec![
            row.image(),
            row.shard().unwrap_or_default(),
            row.row().map(|row| row.to_string()).unwrap_or_default(),
        ];
        values.extend(
            cells
                .iter()
                .map(|cell| cell.text.unwrap_or_default().to_owned()),
        );
        let score = |score: Option<f32>| score.map(|score| score.to_string()).unwrap_or_default();
        values.extend(cells.iter().map(|cell| score(cell.score)));
        values.push(row.error().unwrap_or_default());
        self.line(&values)
    }

    fn finish(self: Box<Self>) -> io::Result<StagedFile> {
        Ok(self.file)
    }
}

/// A value in quotation marks if it needs them.
fn quoted(value: &str) -> String {
    match value.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_where_a_reader_needs_it() {
        assert_eq!(quoted("a cat"), "a cat");
        assert_eq!(quoted("a \"cat\", a dog\n"), "\"a \"\"cat\"\", a dog\n\"");
    }
}
