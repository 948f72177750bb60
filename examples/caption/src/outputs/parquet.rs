use std::io;
use std::sync::Arc;

use captioning::Language;
use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, FloatType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{
    SerializedColumnWriter, SerializedFileWriter, SerializedRowGroupWriter,
};
use parquet::schema::types::{PrimitiveTypeBuilder, Type};
use whole_files::StagedFile;

use super::Sink;
use super::row::{Row, column};

/// Rows that are kept until they are written as a row group.
const ROW_GROUP: usize = 10_000;

/// An Apache Parquet file.
pub(super) struct Parquet<'a> {
    writer: SerializedFileWriter<StagedFile>,
    languages: &'a [Language],
    rows: Vec<Values>,
}

/// The values of a row.
struct Values {
    /// Image, shard, a caption in each language, error.
    texts: Vec<Option<String>>,
    row: Option<u64>,
    scores: Vec<Option<f32>>,
}

impl<'a> Parquet<'a> {
    pub(super) fn new(file: StagedFile, languages: &'a [Language]) -> io::Result<Self> {
        let mut fields = vec![text("image"), text("shard")];
        fields.push(Type::primitive_type_builder("row", PhysicalType::INT64));
        let names = |what| {
            languages
                .iter()
                .map(move |language| column(what, *language))
        };
        let captions: Vec<String> = names("caption").collect();
        let scores: Vec<String> = names("score").collect();
        fields.extend(captions.iter().map(|name| text(name)));
        let scores = scores.iter();
        fields.extend(scores.map(|name| Type::primitive_type_builder(name, PhysicalType::FLOAT)));
        fields.push(text("error"));
        let fields = fields.into_iter().map(|field| {
            let field = field.with_repetition(Repetition::OPTIONAL).build();
            field.map(Arc::new)
        });
        let fields = fields.collect::<Result<_, _>>().map_err(failed)?;
        let schema = Type::group_type_builder("captions").with_fields(fields);
        let schema = Arc::new(schema.build().map_err(failed)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let writer = SerializedFileWriter::new(file, schema, Arc::new(properties));
        Ok(Self {
            writer: writer.map_err(failed)?,
            languages,
            rows: Vec::new(),
        })
    }

    /// Writes the rows that were kept.
    fn write(&mut self) -> Result<(), ParquetError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let (rows, languages) = (std::mem::take(&mut self.rows), self.languages.len());
        let mut group = self.writer.next_row_group()?;
        let texts = |place: usize| rows.iter().map(move |row| row.texts[place].as_deref());
        write_texts(&mut group, texts(0))?;
        write_texts(&mut group, texts(1))?;
        let numbers = rows.iter().map(|row| row.row);
        let (values, levels) = split(numbers.map(|row| row.map(|row| row as i64)));
        next_column(&mut group, |column| {
            column
                .typed::<Int64Type>()
                .write_batch(&values, Some(&levels), None)
        })?;
        for place in 2..2 + languages {
            write_texts(&mut group, texts(place))?;
        }
        for place in 0..languages {
            let (values, levels) = split(rows.iter().map(|row| row.scores[place]));
            next_column(&mut group, |column| {
                column
                    .typed::<FloatType>()
                    .write_batch(&values, Some(&levels), None)
            })?;
        }
        write_texts(&mut group, texts(2 + languages))?;
        group.close()?;
        Ok(())
    }
}

impl Sink for Parquet<'_> {
    fn add(&mut self, row: &Row<'_>) -> io::Result<()> {
        let cells = row.cells(self.languages);
        let mut texts = vec![Some(row.image()), row.shard()];
        texts.extend(cells.iter().map(|cell| cell.text.map(str::to_owned)));
        texts.push(row.error());
        self.rows.push(Values {
            texts,
            row: row.row(),
            scores: cells.iter().map(|cell| cell.score).collect(),
        });
        match self.rows.len() < ROW_GROUP {
            true => Ok(()),
            false => self.write().map_err(failed),
        }
    }

    fn finish(mut self: Box<Self>) -> io::Result<StagedFile> {
        self.write().map_err(failed)?;
        self.writer.into_inner().map_err(failed)
    }
}

fn write_texts<'t>(
    group: &mut SerializedRowGroupWriter<'_, StagedFile>,
    texts: impl Iterator<Item = Option<&'t str>>,
) -> Result<(), ParquetError> {
    let (values, levels) = split(texts.map(|text| text.map(ByteArray::from)));
    next_column(group, |column| {
        column
            .typed::<ByteArrayType>()
            .write_batch(&values, Some(&levels), None)
    })
}

/// A column of texts.
fn text(name: &str) -> PrimitiveTypeBuilder<'_> {
    Type::primitive_type_builder(name, PhysicalType::BYTE_ARRAY)
        .with_logical_type(Some(LogicalType::String))
}

/// The values that are there, and for each place whether there is one.
fn split<T>(values: impl Iterator<Item = Option<T>>) -> (Vec<T>, Vec<i16>) {
    let (mut there, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(i16::from(value.is_some()));
        there.extend(value);
    }
    (there, levels)
}

fn next_column(
    group: &mut SerializedRowGroupWriter<'_, StagedFile>,
    write: impl FnOnce(&mut SerializedColumnWriter<'_>) -> Result<usize, ParquetError>,
) -> Result<(), ParquetError> {
    let column = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("too many columns".into()))?;
    write(&mut column)?;
    column.close()
}

/// The error of the file, if it is one.
fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}
