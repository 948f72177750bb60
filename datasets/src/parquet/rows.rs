//! The rows of a row group.

use std::panic::{self, AssertUnwindSafe};

use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;
use parquet::record::reader::RowIter;

use super::{Block, ParquetFile};
use crate::example::{Example, Origin};
use crate::{Entry, Error, SkipReason, Skipped};

/// A part of a row group in memory.
#[derive(Debug, Default)]
pub(crate) struct Group {
    rows: Vec<Result<Example, Skipped>>,
    /// Why it ends before its last row.
    damage: Option<String>,
}

/// Why no more rows can be read.
enum Stop {
    /// The file is gone or another one.
    Failed(Error),
    Damaged(String),
}

impl Group {
    /// Reads a block. What is damaged ends it; an error is one of the file.
    pub(super) fn read(file: &ParquetFile, block: Block) -> Result<Self, Error> {
        let mut group = Self::default();
        // The reader of the crate panics at some kinds of damage.
        let read = || group.fill(file, block);
        let result = panic::catch_unwind(AssertUnwindSafe(read));
        let panicked = Err(Stop::Damaged(
            "the Parquet reader can't cope with it".to_owned(),
        ));
        match result.unwrap_or(panicked) {
            Ok(()) => Ok(group),
            Err(Stop::Damaged(reason)) => {
                group.damage = Some(reason);
                Ok(group)
            }
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    fn fill(&mut self, file: &ParquetFile, block: Block) -> Result<(), Stop> {
        let reader = file.reader.get_row_group(block.row_group).map_err(stop)?;
        let projection = Some(file.layout.projection.clone());
        let rows = RowIter::from_row_group(projection, &*reader).map_err(stop)?;
        let start = usize::try_from(block.skip).unwrap_or(usize::MAX);
        let wanted = block.first..block.first + block.rows;
        for (number, row) in rows.enumerate() {
            // An error ends the rows, also one before this block.
            let row = row.map_err(stop)?;
            let Some(place) = number
                .checked_sub(start)
                .map(|number| block.first + number as u64)
            else {
                continue;
            };
            if !wanted.contains(&place) {
                break;
            }
            let origin = file.origin(place);
            let example = file.layout.example(row, origin.clone());
            self.rows
                .push(example.map_err(|(image, reason, detail)| Skipped {
                    origin,
                    image,
                    reason,
                    detail,
                }));
        }
        Ok(())
    }

    /// A row by its number in the block; `origin` is where it should be.
    pub(super) fn row(&self, number: usize, origin: Origin) -> Entry {
        match (self.rows.get(number), &self.damage) {
            (Some(Ok(example)), _) => Entry::Example(example.clone()),
            (Some(Err(skipped)), _) => Entry::Skipped(skipped.clone()),
            (None, damage) => Entry::Skipped(Skipped {
                origin,
                image: None,
                reason: SkipReason::Unreadable,
                detail: match damage {
                    Some(reason) => format!("the rest of the row group is damaged: {reason}"),
                    None => "the row group has fewer rows than announced".to_owned(),
                },
            }),
        }
    }
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
