//! The rows of a row group.

use std::panic::{self, AssertUnwindSafe};

use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;
use parquet::record::Row;
use parquet::record::reader::{ReaderIter, TreeBuilder};

use super::behind::Behind;
use super::{Block, ParquetFile};
use crate::example::{Example, Origin};
use crate::{Entry, Error, SkipReason, Skipped};

/// Rows that are decoded at once, at most; a block of large rows has fewer.
const BATCH: u64 = 1024;

/// A part of a row group in memory.
#[derive(Debug, Default)]
pub(crate) struct Group {
    rows: Vec<Result<Example, Skipped>>,
    /// Why it ends before its last row.
    damage: Option<String>,
}

/// Decodes a row group from one of its rows on.
pub(super) struct Decoder {
    rows: Option<ReaderIter>,
    /// Why there are no more rows.
    damage: Option<String>,
}

/// Why no more rows can be read.
enum Stop {
    /// The file is gone or another one.
    Failed(Error),
    Damaged(String),
}

impl Decoder {
    /// Begins at the first row of a block. An error is one of the file; damage shows when rows are asked for.
    pub(super) fn new(file: &ParquetFile, block: Block) -> Result<Self, Error> {
        let skip = usize::try_from(block.skip).unwrap_or(usize::MAX);
        let batch = usize::try_from(block.rows.clamp(1, BATCH)).unwrap_or(1);
        let open = || {
            let group = file.reader.get_row_group(block.row_group).map_err(stop)?;
            let group = Behind { group, skip };
            let tree = TreeBuilder::new().with_batch_size(batch);
            let columns = file.layout.projection.clone();
            tree.as_iter(columns, &group).map_err(stop)
        };
        match guarded(open) {
            Ok(rows) => Ok(Self {
                rows: Some(rows),
                damage: None,
            }),
            Err(Stop::Damaged(reason)) => Ok(Self {
                rows: None,
                damage: Some(reason),
            }),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// The next row; `None` if it is damaged, and then all that follow.
    fn next(&mut self) -> Result<Option<Row>, Error> {
        let Some(rows) = &mut self.rows else {
            return Ok(None);
        };
        let row = guarded(|| rows.next().transpose().map_err(stop));
        match row {
            Ok(Some(row)) => return Ok(Some(row)),
            Ok(None) => self.damage = None,
            Err(Stop::Damaged(reason)) => self.damage = Some(reason),
            Err(Stop::Failed(error)) => {
                self.rows = None;
                return Err(error);
            }
        }
        self.rows = None;
        Ok(None)
    }

    /// The next row as an entry; `origin` is where it should be.
    pub(super) fn next_entry(
        &mut self,
        file: &ParquetFile,
        origin: Origin,
    ) -> Result<Entry, Error> {
        Ok(match self.next()? {
            Some(row) => match example(file, row, origin) {
                Ok(example) => Entry::Example(example),
                Err(skipped) => Entry::Skipped(skipped),
            },
            None => Entry::Skipped(lacking(self.damage.as_deref(), origin)),
        })
    }
}

impl Group {
    /// Reads a block. What is damaged ends it; an error is one of the file.
    pub(super) fn read(file: &ParquetFile, block: Block) -> Result<Self, Error> {
        let mut group = Self::default();
        let mut decoder = Decoder::new(file, block)?;
        for place in block.first..block.first + block.rows {
            let Some(row) = decoder.next()? else {
                break;
            };
            group.rows.push(example(file, row, file.origin(place)));
        }
        group.damage = decoder.damage;
        Ok(group)
    }

    /// A row by its number in the block; `origin` is where it should be.
    pub(super) fn row(&self, number: usize, origin: Origin) -> Entry {
        match (self.rows.get(number), &self.damage) {
            (Some(Ok(example)), _) => Entry::Example(example.clone()),
            (Some(Err(skipped)), _) => Entry::Skipped(skipped.clone()),
            (None, damage) => Entry::Skipped(lacking(damage.as_deref(), origin)),
        }
    }
}

fn example(file: &ParquetFile, row: Row, origin: Origin) -> Result<Example, Skipped> {
    let example = file.layout.example(row, origin.clone());
    example.map_err(|(image, reason, detail)| Skipped {
        origin,
        image,
        reason,
        detail,
    })
}

/// What stands in the place of a row that is not there.
fn lacking(damage: Option<&str>, origin: Origin) -> Skipped {
    Skipped {
        origin,
        image: None,
        reason: SkipReason::Unreadable,
        detail: match damage {
            Some(reason) => format!("the rest of the row group is damaged: {reason}"),
            None => "the row group has fewer rows than announced".to_owned(),
        },
    }
}

/// Reads, although the reader of the crate panics at some kinds of damage.
fn guarded<T>(read: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
    let panicked = Err(Stop::Damaged(
        "the Parquet reader can't cope with it".to_owned(),
    ));
    panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or(panicked)
}

fn stop(error: ParquetError) -> Stop {
    match error {
        ParquetError::External(error) => match error.downcast::<Error>() {
            Ok(error) => Stop::Failed(*error),
            Err(error) => Stop::Damaged(error.to_string()),
        },
        error => Stop::Damaged(error.to_string()),
    }
}
