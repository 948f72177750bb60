//! Which fields of a row are the image, the caption, its language and its address.

use std::path::{Path, PathBuf};

use preprocess::text::{Language, language};

use crate::example::Caption;
use crate::{Columns, Error, Options, SkipReason};

/// The positions of columns.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    fields: usize,
    image: usize,
    caption: usize,
    language: Named,
    url: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Named {
    InColumn(usize),
    Always(Language),
}

/// A row with what it says.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) image: String,
    pub(super) caption: Caption,
    pub(super) url: Option<String>,
}

/// What is wrong with a row.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) image: Option<String>,
    pub(super) reason: SkipReason,
    pub(super) detail: String,
}

impl Layout {
    /// Finds the columns in the first row of a table.
    pub(super) fn new<'a>(
        path: &Path,
        header: impl Iterator<Item = &'a [u8]>,
        options: &Options,
    ) -> Result<Self, Error> {
        let names = header.map(|name| std::str::from_utf8(name).map(|name| name.trim().to_owned()));
        let names: Vec<String> = names.collect::<Result<_, _>>().map_err(|_| Error::Header {
            path: path.to_owned(),
            found: "bytes that are not UTF-8 text",
        })?;
        let find = |wanted: &str| -> Result<Option<usize>, Error> {
            match names.iter().filter(|name| *name == wanted).count() {
                0 => Ok(None),
                1 => Ok(names.iter().position(|name| name == wanted)),
                count => Err(Error::RepeatedColumn {
                    path: path.to_owned(),
                    name: wanted.to_owned(),
                    count,
                }),
            }
        };
        let need = |wanted: &str| {
            find(wanted)?.ok_or_else(|| Error::MissingColumn {
                path: PathBuf::from(path),
                expected: wanted.to_owned(),
                found: names.clone(),
            })
        };
        let Columns {
            image,
            caption,
            language,
            url,
        } = &options.columns;
        Ok(Self {
            fields: names.len(),
            image: need(image)?,
            caption: need(caption)?,
            language: match (find(language)?, options.language) {
                (Some(column), _) => Named::InColumn(column),
                (None, Some(language)) => Named::Always(language),
                (None, None) => Named::InColumn(need(language)?),
            },
            url: find(url)?,
        })
    }

    /// What a row says, or what is wrong with it.
    pub(super) fn row<'a>(&self, fields: impl Iterator<Item = &'a [u8]>) -> Result<Row, Fault> {
        let fields: Vec<&[u8]> = fields.collect();
        let image = fields
            .get(self.image)
            .map(|name| String::from_utf8_lossy(name).into_owned());
        let fault = |reason, detail: String| Fault {
            image: image.clone(),
            reason,
            detail,
        };
        if fields.len() != self.fields {
            let detail = format!("expected {} fields, found {}", self.fields, fields.len());
            return Err(fault(SkipReason::FieldCount, detail));
        }
        let text = |column: usize, what: &str| {
            let text = std::str::from_utf8(fields[column]).map_err(|error| {
                let detail = format!(
                    "{what}: byte {} is not part of a character",
                    error.valid_up_to()
                );
                fault(SkipReason::NotText, detail)
            })?;
            match text.find('\0') {
                Some(position) => Err(fault(
                    SkipReason::Nul,
                    format!("{what}: at byte {position}"),
                )),
                None => Ok(text),
            }
        };
        let name = text(self.image, "the image's path")?;
        if name.trim().is_empty() {
            return Err(fault(
                SkipReason::NoImage,
                "the image's path is empty".to_owned(),
            ));
        }
        let caption = text(self.caption, "the caption")?;
        if let Some(position) = caption.find('\t') {
            return Err(fault(SkipReason::Tab, format!("at byte {position}")));
        }
        let language = match self.language {
            Named::Always(language) => language,
            Named::InColumn(column) => {
                let named = text(column, "the language")?.trim();
                language(named)
                    .ok_or_else(|| fault(SkipReason::UnknownLanguage, unknown_language(named)))?
            }
        };
        let url = match self.url {
            Some(column) => Some(text(column, "the address")?.to_owned()),
            None => None,
        };
        Ok(Row {
            image: name.to_owned(),
            caption: Caption {
                language,
                text: caption.to_owned(),
            },
            url: url.filter(|url| !url.is_empty()),
        })
    }
}

/// What to say about a language that is not known.
pub(crate) fn unknown_language(found: &str) -> String {
    let short: String = found.chars().take(40).collect();
    format!("expected a code like en or en_XX, found {short:?}")
}
