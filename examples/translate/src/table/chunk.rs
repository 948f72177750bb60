use serde::Serialize;
use translation::check::Flag;
use translation::{TextError, Translated, Translator};

use super::header::{Header, is_language, like};
use super::report::Counts;
use super::row::{Row, Rows, fields, write_row};
use crate::arguments::TableSettings;
use crate::error::TranslateError;
use crate::input::WINDOW_BYTES;

/// Rows that are read at once even if few of them are translated.
const MOST_ROWS: usize = 1 << 14;

/// Rows that are translated together.
pub(super) struct Chunk {
    rows: Vec<(Row, Content)>,
}

/// What a row is.
enum Content {
    /// It is translated.
    Source(Vec<String>),
    /// It has nothing to translate.
    Empty(Vec<String>),
    /// It is of another language.
    Other,
    /// It has another number of fields, a quotation mark that is not closed, or bytes that are not text.
    Unreadable,
}

/// What is written of a chunk.
#[derive(Default)]
pub(super) struct Output {
    pub(super) rows: Vec<u8>,
    pub(super) flagged: Vec<u8>,
    pub(super) counts: Counts,
}

/// A row that is not translated, or whose translation looks wrong.
#[derive(Serialize)]
struct Flagged<'a> {
    row: u64,
    image_file: Option<&'a str>,
    source: Option<&'a str>,
    translation: Option<&'a str>,
    flags: Vec<&'static str>,
    /// chrF, if it was translated back.
    #[serde(skip_serializing_if = "Option::is_none")]
    round_trip: Option<f64>,
    /// Why it is not translated.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Chunk {
    /// Reads rows until there are `count` to translate, or a few megabytes. Where a chunk ends depends on the table alone.
    pub(super) fn read(
        rows: &mut Rows,
        header: &Header,
        table: &TableSettings,
        count: usize,
    ) -> Result<Self, TranslateError> {
        let mut chunk = Self { rows: Vec::new() };
        let (mut sources, mut bytes) = (0, 0);
        while sources < count.max(1) && chunk.rows.len() < MOST_ROWS && bytes < WINDOW_BYTES {
            let Some(row) = rows.next()? else { break };
            bytes += row.bytes.len();
            let content = Content::of(&row, header, &table.from);
            sources += usize::from(matches!(content, Content::Source(_)));
            chunk.rows.push((row, content));
        }
        Ok(chunk)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Content {
    fn of(row: &Row, header: &Header, from: &str) -> Self {
        match fields(&row.bytes) {
            Some(fields) if fields.len() == header.columns => {
                if !is_language(&fields[header.language], from) {
                    Self::Other
                } else if fields[header.caption].trim().is_empty() {
                    Self::Empty(fields)
                } else {
                    Self::Source(fields)
                }
            }
            // Tables may end with an empty line.
            Some(fields) if fields == [""] => Self::Other,
            _ => Self::Unreadable,
        }
    }
}

/// Translates the rows of a chunk.
pub(super) fn translate(
    chunk: Chunk,
    table: &TableSettings,
    header: &Header,
    translator: &Translator,
    back: Option<&Translator>,
) -> Result<Output, TranslateError> {
    let sources = chunk.rows.iter().filter_map(|(_, content)| match content {
        Content::Source(fields) => Some(fields[header.caption].as_str()),
        _ => None,
    });
    let sources: Vec<&str> = sources.collect();
    let found = translator.translate(&sources)?;
    let returned = back.map(|back| translate_back(back, &found)).transpose()?;
    let mut returned = returned.map(Vec::into_iter);
    let mut found = found.into_iter();
    let mut output = Output::default();
    for (row, content) in &chunk.rows {
        output.keep(row);
        match content {
            Content::Other => {}
            Content::Unreadable => output.flag(row, &[], header, "unreadable_row", None)?,
            Content::Empty(fields) => output.flag(row, fields, header, "empty_caption", None)?,
            Content::Source(fields) => {
                output.counts.source_rows += 1;
                let returned = returned.as_mut().and_then(Iterator::next);
                match found.next() {
                    Some(Ok(found)) => {
                        output.translated(row, fields, header, table, &found, returned)?;
                    }
                    Some(Err(error)) => {
                        let name = match error {
                            TextError::TooLong { .. } => "too_long",
                            _ => "failed",
                        };
                        let error = ::report::message(&error);
                        output.flag(row, fields, header, name, Some(error))?;
                    }
                    None => {}
                }
            }
        }
    }
    Ok(output)
}

/// The best translations, translated back; empty texts for those that can't be.
fn translate_back(
    back: &Translator,
    found: &[Result<Translated, TextError>],
) -> Result<Vec<String>, TranslateError> {
    let texts = found.iter().map(|found| match found {
        Ok(found) => found.best().text.as_str(),
        Err(_) => "",
    });
    let texts: Vec<&str> = texts.collect();
    let returned = back.translate(&texts)?.into_iter();
    let returned = returned.map(|returned| returned.map(|one| one.best().text.clone()));
    Ok(returned.map(Result::unwrap_or_default).collect())
}

impl Output {
    /// A row as it was.
    fn keep(&mut self, row: &Row) {
        self.counts.rows += 1;
        self.rows.extend(&row.bytes);
        if !row.bytes.ends_with(b"\n") {
            self.rows.push(b'\n');
        }
    }

    fn translated(
        &mut self,
        row: &Row,
        fields: &[String],
        header: &Header,
        table: &TableSettings,
        found: &Translated,
        returned: Option<String>,
    ) -> Result<(), TranslateError> {
        let (caption, text) = (&fields[header.caption], &found.best().text);
        let mut flags = table.checks.flags(caption, found);
        let mut round_trip = None;
        if let Some(returned) = returned {
            round_trip = table.checks.round_trip(caption, &returned);
            if table.checks.fails_round_trip(caption, &returned) {
                flags.push(Flag::RoundTrip);
            }
        }
        let mut added = fields.to_vec();
        added[header.language] = like(&fields[header.language], &table.to);
        added[header.caption].clone_from(text);
        self.rows.extend(write_row(&added));
        self.counts.translated += 1;
        if flags.is_empty() {
            return Ok(());
        }
        let flags: Vec<&str> = flags.into_iter().map(Flag::name).collect();
        self.record(&Flagged {
            row: row.number,
            image_file: header.image(fields),
            source: Some(caption),
            translation: Some(text),
            flags,
            round_trip,
            error: None,
        })
    }

    /// A row that is not translated.
    fn flag(
        &mut self,
        row: &Row,
        fields: &[String],
        header: &Header,
        name: &'static str,
        error: Option<String>,
    ) -> Result<(), TranslateError> {
        self.record(&Flagged {
            row: row.number,
            image_file: header.image(fields),
            source: fields.get(header.caption).map(String::as_str),
            translation: None,
            flags: vec![name],
            round_trip: None,
            error,
        })
    }

    fn record(&mut self, flagged: &Flagged<'_>) -> Result<(), TranslateError> {
        self.counts.flagged_rows += 1;
        for name in &flagged.flags {
            *self.counts.flags.entry((*name).to_owned()).or_default() += 1;
        }
        let line = ::report::json_line(flagged).map_err(std::io::Error::from);
        let line = line.map_err(TranslateError::write(super::work::FLAGGED))?;
        self.flagged.extend(line.as_bytes());
        Ok(())
    }
}
