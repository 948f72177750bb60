//! A row group without its first rows.

use parquet::bloom_filter::Sbbf;
use parquet::column::page::PageReader;
use parquet::column::reader::ColumnReader;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::RowGroupReader;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

/// A row group whose columns begin behind some of its rows. Pages that end before are not unpacked, so that a part of a
/// row group of a million rows costs little more than its own pages.
pub(super) struct Behind<'a> {
    pub(super) group: Box<dyn RowGroupReader + 'a>,
    pub(super) skip: usize,
}

impl RowGroupReader for Behind<'_> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.group.metadata()
    }

    fn num_columns(&self) -> usize {
        self.group.num_columns()
    }

    fn get_column_page_reader(&self, column: usize) -> Result<Box<dyn PageReader>> {
        self.group.get_column_page_reader(column)
    }

    fn get_column_reader(&self, column: usize) -> Result<ColumnReader> {
        let mut reader = self.group.get_column_reader(column)?;
        let skipped = skip(&mut reader, self.skip)?;
        match skipped == self.skip {
            true => Ok(reader),
            false => Err(ParquetError::EOF(format!(
                "expected more than {} rows in column {column}, found {skipped}",
                self.skip
            ))),
        }
    }

    fn get_column_bloom_filter(&self, column: usize) -> Option<&Sbbf> {
        self.group.get_column_bloom_filter(column)
    }

    fn get_row_iter(&self, projection: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_row_group(projection, self)
    }
}

fn skip(reader: &mut ColumnReader, rows: usize) -> Result<usize> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::Int32ColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::Int64ColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::Int96ColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::FloatColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::DoubleColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::ByteArrayColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => reader.skip_records(rows),
    }
}
