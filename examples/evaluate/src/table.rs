//! Reads a table of captions. To be replaced by the reader of the crate `datasets`, whose entries these are.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use datasets::{Caption, Example, ImageSource, Origin};
use preprocess::text::language;
use report::name;

/// The longest row, in bytes.
const LIMIT: u64 = 1 << 20;

/// Why a table can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error(transparent)]
    Open(#[from] whole_files::ReadError),
    #[error("can't read {}", name(.path))]
    Io { path: PathBuf, source: io::Error },
    #[error("{} has no column {column}: its first row must name image_file, caption and lang_id, separated by tabs", name(.path))]
    Column { path: PathBuf, column: &'static str },
}

/// An example, or a row that can't be used.
pub(crate) enum Entry {
    Example(Example),
    Skipped(Skipped),
}

/// A row that can't be used, and why.
pub(crate) struct Skipped {
    pub(crate) origin: Origin,
    pub(crate) reason: String,
}

/// The entries of a table. Consecutive rows of one image are one example.
pub(crate) struct Table {
    path: PathBuf,
    images: PathBuf,
    rows: BufReader<File>,
    columns: Columns,
    row: u64,
    /// The example that is being read, with the text of its image.
    current: Option<(String, Example)>,
    waiting: Option<Entry>,
    ended: bool,
}

/// Where the columns are.
struct Columns {
    count: usize,
    image_file: usize,
    caption: usize,
    lang_id: usize,
    url: Option<usize>,
}

/// A row that was read.
enum Row {
    Caption(String, Option<String>, Caption),
    Unusable(String),
    End,
}

impl Table {
    pub(crate) fn open(path: &Path, images: &Path) -> Result<Self, TableError> {
        let (file, _) = whole_files::open(path)?;
        let mut rows = BufReader::new(file);
        let header = line(&mut rows).map_err(|source| io_error(path, source))?;
        let header = header.and_then(Result::ok).unwrap_or_default();
        let header = header.trim_start_matches('\u{feff}');
        let names: Vec<&str> = header.split('\t').map(str::trim).collect();
        let find = |column: &str| names.iter().position(|name| *name == column);
        let need = |column: &'static str| {
            find(column).ok_or_else(|| TableError::Column {
                path: path.to_owned(),
                column,
            })
        };
        Ok(Self {
            columns: Columns {
                count: names.len(),
                image_file: need("image_file")?,
                caption: need("caption")?,
                lang_id: need("lang_id")?,
                url: find("url"),
            },
            path: path.to_owned(),
            images: images.to_owned(),
            rows,
            row: 1,
            current: None,
            waiting: None,
            ended: false,
        })
    }

    fn read(&mut self) -> Result<Row, TableError> {
        self.row += 1;
        let line = line(&mut self.rows).map_err(|source| io_error(&self.path, source))?;
        let Some(line) = line else {
            return Ok(Row::End);
        };
        Ok(match line {
            Ok(line) => self.columns.row(&line).unwrap_or_else(Row::Unusable),
            Err(reason) => Row::Unusable(reason),
        })
    }

    fn origin(&self) -> Origin {
        Origin {
            file: self.path.clone(),
            row: self.row,
        }
    }

    fn finish(&mut self) -> Option<Entry> {
        self.current
            .take()
            .map(|(_, example)| Entry::Example(example))
    }
}

impl Iterator for Table {
    type Item = Result<Entry, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(entry) = self.waiting.take() {
            return Some(Ok(entry));
        }
        while !self.ended {
            match self.read() {
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                Ok(Row::End) => self.ended = true,
                Ok(Row::Unusable(reason)) => {
                    let origin = self.origin();
                    return Some(Ok(Entry::Skipped(Skipped { origin, reason })));
                }
                Ok(Row::Caption(image, url, caption)) => {
                    match &mut self.current {
                        Some((name, example)) if *name == image => {
                            example.captions.push(caption);
                            continue;
                        }
                        _ => {}
                    }
                    let finished = self.finish();
                    let example = Example {
                        image: ImageSource::File(self.images.join(&image)),
                        captions: vec![caption],
                        url,
                        origin: self.origin(),
                    };
                    self.current = Some((image, example));
                    if let Some(entry) = finished {
                        return Some(Ok(entry));
                    }
                }
            }
        }
        self.finish().map(Ok)
    }
}

impl Columns {
    fn row(&self, line: &str) -> Result<Row, String> {
        let fields: Vec<&str> = line.split('\t').collect();
        if fields.len() != self.count {
            let (found, expected) = (fields.len(), self.count);
            return Err(format!("{found} columns, expected {expected}"));
        }
        let image = unquoted(fields[self.image_file]);
        if image.is_empty() || image.contains('\0') {
            return Err("no name of an image".into());
        }
        let code = fields[self.lang_id].trim();
        let language = language(code).ok_or_else(|| format!("unknown language {code:?}"))?;
        let url = self.url.map(|column| unquoted(fields[column]));
        Ok(Row::Caption(
            image,
            url.filter(|url| !url.is_empty()),
            Caption {
                language,
                text: unquoted(fields[self.caption]),
            },
        ))
    }
}

/// A field without the quotation marks that CSV programs put around it if it has some within.
fn unquoted(field: &str) -> String {
    let inner = field
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) => inner.replace("\"\"", "\""),
        None => field.to_owned(),
    }
}

/// The next line, or why it can't be used; `None` at the end.
fn line(rows: &mut BufReader<File>) -> io::Result<Option<Result<String, String>>> {
    let mut bytes = Vec::new();
    let read = rows.by_ref().take(LIMIT).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.last() != Some(&b'\n') && read as u64 == LIMIT {
        rows.skip_until(b'\n')?;
        return Ok(Some(Err(format!("more than {LIMIT} bytes"))));
    }
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    Ok(Some(
        String::from_utf8(bytes).map_err(|_| "not UTF-8 text".into()),
    ))
}

fn io_error(path: &Path, source: io::Error) -> TableError {
    TableError::Io {
        path: path.to_owned(),
        source,
    }
}
