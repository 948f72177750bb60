//! What the files of a data set have in common.

use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "parquet")]
use crate::parquet::{Cache, ParquetFile};
use crate::positioned::{OpenFiles, Stamp};
use crate::shard::Shard;
use crate::table::Table;
use crate::{Entry, Error, Format, Options};

/// Where an entry begins in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// In bytes; in Parquet, the row from 0.
    pub(crate) offset: u64,
    /// The line, row or entry, from 1.
    pub(crate) row: u64,
}

/// Goes through a file in order.
pub(crate) trait Walk: Send {
    /// The next entry and where it begins; `None` at the end. After an error there is no more.
    fn next_entry(&mut self) -> Result<Option<(Place, Entry)>, Error>;
}

/// A file of a data set.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Table(Table),
    Shard(Shard),
    #[cfg(feature = "parquet")]
    Parquet(ParquetFile),
}

/// What the files of a data set share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) files: Arc<OpenFiles>,
    #[cfg(feature = "parquet")]
    row_groups: Arc<Cache>,
}

impl Source {
    pub(crate) fn open(path: &Path, options: &Options, shared: &Shared) -> Result<Self, Error> {
        let format = match options.format {
            Some(format) => format,
            None => crate::files::format_of(path)?,
        };
        match format {
            Format::Tsv => Table::open(path, options, &shared.files).map(Self::Table),
            Format::WebDataset => Shard::open(path, options).map(Self::Shard),
            #[cfg(feature = "parquet")]
            Format::Parquet => ParquetFile::open(path, options, &shared.row_groups).map(Self::Parquet),
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => Err(Error::UnknownFormat {
                path: path.to_owned(),
                found: "Parquet, which this program was built without; build it with the feature parquet".to_owned(),
            }),
        }
    }

    /// All entries in order. Without `images`, the content of images that are stored in the file is left out.
    pub(crate) fn walk(&self, images: bool) -> Result<Box<dyn Walk>, Error> {
        match self {
            Self::Table(table) => Ok(Box::new(table.rows()?)),
            Self::Shard(shard) => Ok(Box::new(shard.members(images)?)),
            #[cfg(feature = "parquet")]
            Self::Parquet(file) => Ok(Box::new(file.rows())),
        }
    }

    /// The entry that begins at a place.
    pub(crate) fn entry_at(&self, place: Place) -> Result<Entry, Error> {
        let mut walk: Box<dyn Walk> = match self {
            Self::Table(table) => Box::new(table.rows_at(place)?),
            Self::Shard(shard) => Box::new(shard.members_at(place)?),
            #[cfg(feature = "parquet")]
            Self::Parquet(file) => return file.row(place.offset),
        };
        // Rows that can't be used may stand between those of an example, and come first then.
        let mut skipped = None;
        loop {
            match walk.next_entry()? {
                Some((found, entry)) if found == place => return Ok(entry),
                Some((_, entry @ Entry::Skipped(_))) => skipped = skipped.or(Some(entry)),
                _ => {
                    return skipped.ok_or_else(|| Error::Changed {
                        path: self.path().to_owned(),
                    });
                }
            }
        }
    }

    /// The sizes of the parts that are read as a whole, if single entries can't be read.
    pub(crate) fn blocks(&self) -> Option<&[u64]> {
        match self {
            Self::Table(_) | Self::Shard(_) => None,
            #[cfg(feature = "parquet")]
            Self::Parquet(file) => Some(file.block_sizes()),
        }
    }

    /// Keeps this many of them in memory, of all files together.
    #[cfg_attr(not(feature = "parquet"), expect(unused_variables))]
    pub(crate) fn keep_blocks(&self, count: usize) {
        match self {
            Self::Table(_) | Self::Shard(_) => {}
            #[cfg(feature = "parquet")]
            Self::Parquet(file) => file.keep_blocks(count),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Table(table) => table.path(),
            Self::Shard(shard) => shard.path(),
            #[cfg(feature = "parquet")]
            Self::Parquet(file) => file.path(),
        }
    }

    pub(crate) fn stamp(&self) -> Stamp {
        match self {
            Self::Table(table) => table.stamp(),
            Self::Shard(shard) => shard.stamp(),
            #[cfg(feature = "parquet")]
            Self::Parquet(file) => file.stamp(),
        }
    }
}
