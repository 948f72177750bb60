use std::collections::BTreeMap;

use ::report::{OutputError, Program};
use serde::{Deserialize, Serialize};

/// What became of a table's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// Rows of the table, without that of the names.
    pub(super) rows: u64,
    /// Rows that have a caption in the source language.
    pub(super) source_rows: u64,
    /// Rows that were added.
    pub(super) translated: u64,
    /// Rows that are not translated, or whose translation looks wrong.
    pub(super) flagged_rows: u64,
    /// How many rows have each flag.
    pub(super) flags: BTreeMap<String, u64>,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.source_rows += other.source_rows;
        self.translated += other.translated;
        self.flagged_rows += other.flagged_rows;
        for (name, count) in &other.flags {
            *self.flags.entry(name.clone()).or_default() += count;
        }
    }

    /// Whether every row is translated and nothing looks wrong.
    pub(super) fn is_perfect(&self) -> bool {
        self.flagged_rows == 0
    }
}

/// Prints the numbers.
pub(super) fn print(program: &Program, counts: &Counts) -> Result<(), OutputError> {
    program.line(format_args!(
        "{} rows, {} of them to translate, {} translated, {} flagged",
        counts.rows, counts.source_rows, counts.translated, counts.flagged_rows
    ))?;
    for (name, count) in &counts.flags {
        program.line(format_args!("{count:>10}  {name}"))?;
    }
    Ok(())
}
