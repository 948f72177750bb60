//! Apache Parquet: a row is an example. Row groups are read one at a time, with the columns that are needed. In order, they
//! are decoded row by row; by position, in parts that are kept for a while.

mod behind;
mod cache;
mod chunks;
mod columns;
mod rows;

use std::fmt;
use std::panic;
use std::path::Path;
use std::sync::Arc;

use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;

pub(crate) use self::cache::Cache;
use self::chunks::Chunks;
use self::columns::Layout;
use self::rows::{Decoder, Group};
use crate::example::Origin;
use crate::positioned::Stamp;
use crate::source::{Place, Walk};
use crate::{Entry, Error, Options};

/// The largest number of rows that are in memory as one block, and how many bytes they should have: row groups of a million
/// paths are common.
const MAX_BLOCK_ROWS: u64 = 1 << 14;
const BLOCK_BYTES: u64 = 128 << 20;

/// Rows of one row group.
#[derive(Clone, Copy, Debug)]
struct Block {
    row_group: usize,
    /// How many rows of the row group come before.
    skip: u64,
    /// How many rows of the file come before.
    first: u64,
    rows: u64,
}

/// An open Parquet file.
#[derive(Clone)]
pub(crate) struct ParquetFile {
    path: Arc<Path>,
    stamp: Stamp,
    reader: Arc<SerializedFileReader<Chunks>>,
    layout: Arc<Layout>,
    blocks: Arc<[Block]>,
    /// Rows in each block.
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
        let blocks = blocks(metadata).map_err(damaged)?;
        let layout = Layout::new(&path, metadata.file_metadata().schema(), options)?;
        Ok(Self {
            stamp: Stamp::new(&whole_files::open(&path)?.1),
            reader: Arc::new(reader),
            layout: Arc::new(layout),
            sizes: blocks.iter().map(|block| block.rows).collect(),
            blocks: blocks.into(),
            cache: Arc::clone(cache),
            number: cache.file(),
            path,
        })
    }

    pub(crate) fn rows(&self) -> Rows {
        Rows {
            file: self.clone(),
            block: 0,
            within: 0,
            decoder: None,
        }
    }

    /// A row by its number from 0.
    pub(crate) fn row(&self, row: u64) -> Result<Entry, Error> {
        let after = self.blocks.partition_point(|block| block.first <= row);
        let number = after.saturating_sub(1);
        let block = self.blocks[number];
        let group = self
            .cache
            .get((self.number, number), || Group::read(self, block))?;
        let within = usize::try_from(row - block.first).unwrap_or(usize::MAX);
        Ok(group.row(within, self.origin(row)))
    }

    pub(crate) fn block_sizes(&self) -> &[u64] {
        &self.sizes
    }

    pub(crate) fn keep_blocks(&self, count: usize) {
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

/// Parts of a file, at most: more are a damaged footer, and would take memory without bound.
const MAX_BLOCKS: u64 = 1 << 20;

/// The blocks of all row groups that have rows, or what is wrong with their sizes.
fn blocks(metadata: &ParquetMetaData) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut first = 0u64;
    for (row_group, group) in metadata.row_groups().iter().enumerate() {
        let wrong = || format!("a row group of {} rows", group.num_rows());
        let rows = u64::try_from(group.num_rows())
            .ok()
            .filter(|rows| *rows < 1 << 32)
            .ok_or_else(wrong)?;
        let bytes = u64::try_from(group.total_byte_size()).unwrap_or(0).max(1);
        let most = (u128::from(rows) * u128::from(BLOCK_BYTES) / u128::from(bytes))
            .clamp(1, MAX_BLOCK_ROWS.into()) as u64;
        if rows.div_ceil(most) > MAX_BLOCKS - blocks.len() as u64 {
            return Err(format!(
                "more than {MAX_BLOCKS} parts of {BLOCK_BYTES} bytes or {MAX_BLOCK_ROWS} rows"
            ));
        }
        let mut skip = 0;
        while skip < rows {
            let rows = most.min(rows - skip);
            blocks.push(Block {
                row_group,
                skip,
                first: first + skip,
                rows,
            });
            skip += rows;
        }
        first += rows;
    }
    Ok(blocks)
}

impl fmt::Debug for ParquetFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ParquetFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// All rows in order, each decoded once.
pub(crate) struct Rows {
    file: ParquetFile,
    /// Where the next row is.
    block: usize,
    within: u64,
    /// Of the row group that the last row was in.
    decoder: Option<Decoder>,
}

impl Walk for Rows {
    fn next_entry(&mut self) -> Result<Option<(Place, Entry)>, Error> {
        let Some(block) = self.file.blocks.get(self.block).copied() else {
            return Ok(None);
        };
        if block.skip == 0 && self.within == 0 {
            self.decoder = None;
        }
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            none => none.insert(Decoder::new(&self.file, block)?),
        };
        let row = block.first + self.within;
        let entry = decoder.next_entry(&self.file, self.file.origin(row))?;
        self.within += 1;
        if self.within == block.rows {
            self.block += 1;
            self.within = 0;
        }
        let place = Place {
            offset: row,
            row: row + 1,
        };
        Ok(Some((place, entry)))
    }
}
