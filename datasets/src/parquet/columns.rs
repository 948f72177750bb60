//! Which columns of a Parquet file are the image and its captions.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Repetition, Type as PhysicalType};
use parquet::record::{Field, Row};
use parquet::schema::types::{SchemaDescPtr, SchemaDescriptor, Type, TypePtr};
use preprocess::text::{Language, language};

use crate::example::{Caption, Example, ImageSource, Origin};
use crate::table::unknown_language;
use crate::{Columns, Error, Options, SkipReason};

pub(super) type Fault = (Option<String>, SkipReason, String);

/// How rows become examples.
#[derive(Debug)]
pub(super) struct Layout {
    columns: Columns,
    /// The language of each column of captions; `None`: in a column of its own.
    captions: Vec<(String, Option<Language>)>,
    /// The columns that are read.
    pub(super) projection: SchemaDescPtr,
    images: PathBuf,
    max_text: usize,
    max_image: u64,
}

impl Layout {
    pub(super) fn new(path: &Path, schema: &Type, options: &Options) -> Result<Self, Error> {
        let names: Vec<String> = schema
            .get_fields()
            .iter()
            .map(|field| field.name().to_owned())
            .collect();
        let has = |name: &str| names.iter().any(|found| found == name);
        let missing = |expected: &str| Error::MissingColumn {
            path: path.to_owned(),
            expected: expected.to_owned(),
            found: names.clone(),
        };
        let mut columns = options.columns.clone();
        if !has(&columns.image) {
            let default = columns.image == Columns::default().image;
            match default && has("image") {
                true => columns.image = "image".to_owned(),
                false => return Err(missing(&columns.image)),
            }
        }
        let captions = match options.captions {
            true => captions(&columns, &names, options.language),
            false => Vec::new(),
        };
        if captions.is_empty() && options.captions {
            return Err(missing(match has(&columns.caption) {
                true => &columns.language,
                false => &columns.caption,
            }));
        }
        let wanted = |field: &&TypePtr| {
            let name = field.name();
            let language = options.captions.then_some(&columns.language);
            let named = [Some(&columns.image), language, Some(&columns.url)];
            named.iter().flatten().any(|wanted| *wanted == name)
                || captions.iter().any(|(wanted, _)| wanted == name)
        };
        let fields: Vec<TypePtr> = schema
            .get_fields()
            .iter()
            .filter(wanted)
            .map(Arc::clone)
            .collect();
        for field in &fields {
            if field.name() == columns.image && !may_be_image(field) {
                return Err(Error::ColumnType {
                    path: path.to_owned(),
                    name: columns.image.clone(),
                    expected: "bytes, paths as text, or a struct of `bytes` and `path`",
                    found: kind(field),
                });
            }
            let count = fields
                .iter()
                .filter(|other| other.name() == field.name())
                .count();
            if count > 1 {
                return Err(Error::RepeatedColumn {
                    path: path.to_owned(),
                    name: field.name().to_owned(),
                    count,
                });
            }
        }
        let projection = Type::group_type_builder(schema.name())
            .with_fields(fields)
            .build();
        Ok(Self {
            columns,
            captions,
            projection: match projection {
                Ok(schema) => Arc::new(SchemaDescriptor::new(Arc::new(schema))),
                Err(error) => {
                    return Err(Error::Damaged {
                        path: path.to_owned(),
                        problem: error.to_string(),
                    });
                }
            },
            images: match &options.image_folder {
                Some(folder) => folder.clone(),
                None => path.parent().unwrap_or(Path::new("")).to_owned(),
            },
            max_text: options.max_row_bytes,
            max_image: options.max_image_bytes,
        })
    }

    pub(super) fn example(&self, row: Row, origin: Origin) -> Result<Example, Fault> {
        let mut fields = row.into_columns();
        let mut take = |name: &str| {
            let place = fields.iter().position(|(found, _)| found == name)?;
            match fields.swap_remove(place).1 {
                Field::Null => None,
                field => Some(field),
            }
        };
        let image = self.image(take(&self.columns.image), origin.row)?;
        let name = match &image {
            ImageSource::File(path) => path.display().to_string(),
            ImageSource::Bytes { name, .. } => name.clone(),
        };
        let named = |(reason, detail)| (Some(name.clone()), reason, detail);
        let languages = take(&self.columns.language);
        let mut captions = Vec::new();
        for (column, language) in &self.captions {
            if let Some(field) = take(column) {
                self.add(&mut captions, field, *language, languages.as_ref())
                    .map_err(named)?;
            }
        }
        if captions.is_empty() && !self.captions.is_empty() {
            return Err(named((
                SkipReason::NoCaption,
                "the column is empty".to_owned(),
            )));
        }
        let url = match take(&self.columns.url) {
            Some(Field::Str(url)) if !url.is_empty() => Some(url),
            _ => None,
        };
        Ok(Example {
            image,
            captions,
            url,
            origin,
        })
    }

    fn image(&self, field: Option<Field>, row: u64) -> Result<ImageSource, Fault> {
        let none = |detail: &str| (None, SkipReason::NoImage, detail.to_owned());
        match field {
            None => Err(none("the column is empty")),
            Some(Field::Str(path)) => self.file(path),
            Some(Field::Bytes(bytes)) => self.bytes(format!("row {row}"), bytes.data()),
            // Hugging Face's Image: the content, a path, or both.
            Some(Field::Group(parts)) => {
                let (mut content, mut path) = (None, None);
                for (name, field) in parts.into_columns() {
                    match (name.as_str(), field) {
                        ("bytes", Field::Bytes(bytes)) => content = Some(bytes),
                        ("path", Field::Str(text)) => path = Some(text),
                        _ => {}
                    }
                }
                match (content, path) {
                    (Some(bytes), path) => {
                        self.bytes(path.unwrap_or_else(|| format!("row {row}")), bytes.data())
                    }
                    (None, Some(path)) => self.file(path),
                    (None, None) => Err(none("neither bytes nor a path")),
                }
            }
            Some(_) => Err(none("expected bytes, a path, or a struct of both")),
        }
    }

    fn file(&self, path: String) -> Result<ImageSource, Fault> {
        if path.trim().is_empty() {
            return Err((
                None,
                SkipReason::NoImage,
                "the image's path is empty".to_owned(),
            ));
        }
        if path.contains('\0') {
            return Err((Some(path), SkipReason::Nul, "the image's path".to_owned()));
        }
        Ok(ImageSource::File(self.images.join(path)))
    }

    fn bytes(&self, name: String, bytes: &[u8]) -> Result<ImageSource, Fault> {
        if bytes.len() as u64 > self.max_image {
            let detail = format!(
                "the image has {} bytes, expected at most {}",
                bytes.len(),
                self.max_image
            );
            return Err((Some(name), SkipReason::TooLong, detail));
        }
        Ok(ImageSource::Bytes {
            name,
            bytes: bytes.to_vec(),
        })
    }

    /// Adds the captions of a field: a text, or a list with one language or as many.
    fn add(
        &self,
        captions: &mut Vec<Caption>,
        field: Field,
        fixed: Option<Language>,
        named: Option<&Field>,
    ) -> Result<(), (SkipReason, String)> {
        let texts = match field {
            Field::ListInternal(list) => list.elements().to_vec(),
            field => vec![field],
        };
        let count = texts.len();
        for (number, text) in texts.into_iter().enumerate() {
            let text = match text {
                Field::Null => continue,
                Field::Str(text) => text,
                _ => {
                    return Err((
                        SkipReason::Malformed,
                        "expected captions to be text or a list of text".to_owned(),
                    ));
                }
            };
            let language = match (fixed, named) {
                (Some(language), _) => language,
                (None, Some(Field::ListInternal(list))) if list.len() == count => {
                    found(&list.elements()[number])?
                }
                (None, Some(Field::ListInternal(list))) => {
                    let detail = format!(
                        "expected one language or {count}, one for each caption, found {}",
                        list.len()
                    );
                    return Err((SkipReason::Malformed, detail));
                }
                (None, Some(field)) => found(field)?,
                (None, None) => {
                    return Err((
                        SkipReason::UnknownLanguage,
                        "the column is empty".to_owned(),
                    ));
                }
            };
            captions.push(self.caption(language, text)?);
        }
        Ok(())
    }

    fn caption(&self, language: Language, text: String) -> Result<Caption, (SkipReason, String)> {
        if text.len() > self.max_text {
            let detail = format!(
                "a caption has {} bytes, expected at most {}",
                text.len(),
                self.max_text
            );
            return Err((SkipReason::TooLong, detail));
        }
        if let Some(position) = text.find('\0') {
            return Err((SkipReason::Nul, format!("caption: at byte {position}")));
        }
        if let Some(position) = text.find('\t') {
            return Err((SkipReason::Tab, format!("caption: at byte {position}")));
        }
        Ok(Caption { language, text })
    }
}

/// Whether a column holds bytes, paths, or Hugging Face's struct of both.
fn may_be_image(field: &Type) -> bool {
    let basic = field.get_basic_info();
    let is_repeated = basic.has_repetition() && basic.repetition() == Repetition::REPEATED;
    let is_bytes = |field: &Type| {
        field.is_primitive()
            && matches!(
                field.get_physical_type(),
                PhysicalType::BYTE_ARRAY | PhysicalType::FIXED_LEN_BYTE_ARRAY
            )
    };
    let is_part = |part: &TypePtr| ["bytes", "path"].contains(&part.name()) && is_bytes(part);
    !is_repeated
        && match field.is_group() {
            true => field.get_fields().iter().any(is_part),
            false => is_bytes(field),
        }
}

/// What a column holds, for messages.
fn kind(field: &Type) -> String {
    match field.is_primitive() {
        true => field.get_physical_type().to_string(),
        false => {
            let names = field.get_fields().iter().map(|part| part.name());
            format!(
                "a struct or list of {}",
                names.collect::<Vec<_>>().join(", ")
            )
        }
    }
}

/// The columns of captions: one, with a language from a column or the options, or one for each language, such as
/// `caption_en`.
fn captions(
    columns: &Columns,
    names: &[String],
    default: Option<Language>,
) -> Vec<(String, Option<Language>)> {
    if names.contains(&columns.caption) {
        return match names.contains(&columns.language) {
            true => vec![(columns.caption.clone(), None)],
            false => default
                .map(|language| (columns.caption.clone(), Some(language)))
                .into_iter()
                .collect(),
        };
    }
    let by_language = names.iter().filter_map(|name| {
        let code = name
            .strip_prefix(columns.caption.as_str())?
            .strip_prefix('_')?;
        Some((name.clone(), Some(language(code)?)))
    });
    by_language.collect()
}

fn found(field: &Field) -> Result<Language, (SkipReason, String)> {
    match field {
        Field::Str(name) => language(name.trim())
            .ok_or_else(|| (SkipReason::UnknownLanguage, unknown_language(name))),
        _ => Err((SkipReason::UnknownLanguage, "expected a text".to_owned())),
    }
}
