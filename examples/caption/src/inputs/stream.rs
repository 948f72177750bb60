//! The pictures of all units one after the other.

use std::path::Path;
use std::sync::Arc;

use datasets::{Columns, Dataset, Entry, Examples, Options};

use super::{Inputs, Picture, Unit};

/// A picture and the unit that it belongs to.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) unit: usize,
    pub(crate) picture: Picture,
}

impl Inputs {
    /// The pictures of some units, by their numbers. A shard is opened when its turn comes, and read as the iterator goes on.
    pub(crate) fn pictures(&self, units: Vec<usize>) -> impl Iterator<Item = Item> + Send + '_ {
        units.into_iter().flat_map(|unit| {
            let pictures = self.pictures_of(unit);
            pictures.map(move |picture| Item { unit, picture })
        })
    }

    /// The pictures of a unit.
    pub(crate) fn pictures_of(&self, unit: usize) -> Box<dyn Iterator<Item = Picture> + Send + '_> {
        match &self.units[unit] {
            Unit::Pictures(paths) => Box::new(paths.iter().cloned().map(Picture::new)),
            Unit::Shard(path) => match Dataset::open(path, &self.options()) {
                Ok(shard) => Box::new(Members {
                    path: path.as_path().into(),
                    entries: shard.examples(),
                }),
                Err(error) => Box::new(std::iter::once(Picture::lost(path.clone(), error))),
            },
        }
    }

    /// How shards are read.
    pub(super) fn options(&self) -> Options {
        let options = Options::default().without_captions();
        match &self.column {
            Some(column) => options.with_columns(Columns::default().with_image(column)),
            None => options,
        }
    }
}

/// The pictures of a shard.
struct Members {
    path: Arc<Path>,
    entries: Examples,
}

impl Iterator for Members {
    type Item = Picture;

    fn next(&mut self) -> Option<Picture> {
        Some(match self.entries.next()? {
            Ok(Entry::Example(example)) => Picture::member(&self.path, example),
            Ok(Entry::Skipped(skipped)) => Picture::skipped(&self.path, skipped),
            Err(error) => Picture::lost(self.path.to_path_buf(), error),
        })
    }
}
