//! Apache Parquet: a row is an example. Row groups are read one at a time, with the columns that are needed.

mod cache;
mod chunks;
mod columns;
mod rows;

use std::fmt;
use std::panic;
use std::path::Path;
use std::sync::Arc;

use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;

pub(crate) use self::cache::Cache;
use self::chunks::Chunks;
use self::columns::Layout;
use self::rows::Group;
use crate::example::Origin;
use crate::positioned::Stamp;
use crate::source::{Place, Walk};
use crate::{Entry, Error, Options};

/// An open Parquet file.
#[derive(Clone)]
pub(crate) struct ParquetFile {
    path: Arc<Path>,
    stamp: Stamp,
    reader: Arc<SerializedFileReader<Chunks>>,
    layout: Arc<Layout>,
    /// Rows in each row group.
    sizes: Arc<[u64]>,
    cache: Arc<Cache>,
    number: usize,
}

impl ParquetFile {
    pub(crate) fn open(path: &Path, options: &Options, cache: &Arc<Cache>) -> Result<Self, Error> {
        let (_, metadata) = whole_files::open(path)?;
        let path: Arc<Path> = path.into();
        let chunks = Chunks {
            path: Arc::clone(&path),
            stamp: Stamp::new(&metadata),
        };
        let damaged = |problem: String| Error::Damaged {
            path: path.to_path_buf(),
            problem: format!("expected Parquet, found it damaged or cut short: {problem}"),
        };
        // The crate's reader panics at some kinds of damage.
        let opened = panic::catch_unwind(move || SerializedFileReader::new(chunks));
        let reader = match opened {
            Ok(Ok(reader)) => reader,
            Ok(Err(error)) => return Err(damaged(error.to_string())),
            Err(_) => return Err(damaged("the Parquet reader can't cope with it".to_owned())),
        };
        let metadata = reader.metadata();
        let sizes = metadata
            .row_groups()
            .iter()
            .map(|group| u64::try_from(group.num_rows()));
        let sizes: Vec<u64> = sizes
            .collect::<Result<_, _>>()
            .map_err(|error| damaged(error.to_string()))?;
        let rows = sizes
            .iter()
            .try_fold(0u64, |sum, size| sum.checked_add(*size));
        if rows.is_none_or(|rows| rows > 1 << 48) {
            return Err(damaged("an impossible number of rows".to_owned()));
        }
        let layout = Layout::new(&path, metadata.file_metadata().schema(), options)?;
        Ok(Self {
            stamp: Stamp::new(&whole_files::open(&path)?.1),
            reader: Arc::new(reader),
            layout: Arc::new(layout),
            sizes: sizes.into(),
            cache: Arc::clone(cache),
            number: cache.file(),
            path,
        })
    }

    pub(crate) fn rows(&self) -> Rows {
        Rows {
            file: self.clone(),
            next: 0,
        }
    }

    /// A row by its number from 0.
    pub(crate) fn row(&self, row: u64) -> Result<Entry, Error> {
        let (mut number, mut first) = (0, 0);
        while let Some(size) = self.sizes.get(number)
            && first + size <= row
        {
            first += size;
            number += 1;
        }
        let group = self
            .cache
            .get((self.number, number), || Group::read(self, number, first))?;
        let within = usize::try_from(row - first).unwrap_or(usize::MAX);
        Ok(group.row(within, self.origin(row)))
    }

    pub(crate) fn row_groups(&self) -> &[u64] {
        &self.sizes
    }

    pub(crate) fn keep_row_groups(&self, count: usize) {
        self.cache.keep(count);
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }

    fn origin(&self, row: u64) -> Origin {
        Origin {
            file: self.path.to_path_buf(),
            row: row + 1,
        }
    }
}

impl fmt::Debug for ParquetFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ParquetFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// All rows in order.
pub(crate) struct Rows {
    file: ParquetFile,
    next: u64,
}

impl Walk for Rows {
    fn next_entry(&mut self) -> Result<Option<(Place, Entry)>, Error> {
        let row = self.next;
        if row >= self.file.sizes.iter().sum() {
            return Ok(None);
        }
        self.next += 1;
        let place = Place {
            offset: row,
            row: row + 1,
        };
        Ok(Some((place, self.file.row(row)?)))
    }
}
