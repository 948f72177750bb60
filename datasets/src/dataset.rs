use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::table::{Rows, Table};
use crate::{Error, Example, Options, Skipped};

/// An example of a data set, or what stands in the place of one.
#[derive(Clone, Debug)]
pub enum Entry {
    /// An image and its captions.
    Example(Example),
    /// A row or entry that can't be used.
    Skipped(Skipped),
}

/// A data set in one or several files, none of which is held in memory.
///
/// A clone is cheap and reads the same open files.
#[derive(Clone, Debug)]
pub struct Dataset {
    tables: Arc<[Table]>,
}

impl Dataset {
    /// Opens the files of a data set.
    ///
    /// # Errors
    /// - [`Error::Read`] if a file can't be read.
    /// - [`Error::Header`], [`Error::MissingColumn`] or [`Error::RepeatedColumn`] if a table lacks the columns that
    ///   [`Options::columns`] names.
    pub fn open_files<P: AsRef<Path>>(paths: &[P], options: &Options) -> Result<Self, Error> {
        let tables = paths.iter().map(|path| Table::open(path.as_ref(), options));
        Ok(Self {
            tables: tables.collect::<Result<_, _>>()?,
        })
    }

    /// Opens a data set in one file.
    ///
    /// # Errors
    /// - [`Error::Read`] if a file can't be read.
    /// - [`Error::Header`], [`Error::MissingColumn`] or [`Error::RepeatedColumn`] if a table lacks the columns that
    ///   [`Options::columns`] names.
    pub fn open(path: impl Into<PathBuf>, options: &Options) -> Result<Self, Error> {
        Self::open_files(&[path.into()], options)
    }

    /// All examples, in the order of the files, and the entries that can't be used. A file is read as the iterator goes
    /// on.
    pub fn examples(&self) -> Examples {
        Examples {
            dataset: self.clone(),
            table: 0,
            rows: None,
        }
    }
}

/// Goes through a data set in order: the iterator of [`Dataset::examples`].
///
/// An error means that the rest of a file can't be read; the iterator goes on with the next file.
pub struct Examples {
    dataset: Dataset,
    table: usize,
    rows: Option<Rows>,
}

impl Iterator for Examples {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let table = self.dataset.tables.get(self.table)?;
            match self.rows.get_or_insert_with(|| table.rows()).next_entry() {
                Ok(Some((_, entry))) => return Some(Ok(entry)),
                Ok(None) => {
                    self.rows = None;
                    self.table += 1;
                }
                Err(error) => {
                    self.rows = None;
                    self.table += 1;
                    return Some(Err(error));
                }
            }
        }
    }
}
