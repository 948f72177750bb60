//! What is captioned: pictures, folders, lists, and shards that hold pictures.

mod list;
mod picture;
mod search;
mod stream;

use std::path::{Path, PathBuf};

use datasets::Dataset;

use self::picture::STANDARD_INPUT;
pub(crate) use self::picture::{Picture, PictureDecoder};
use self::search::InputError;
use self::search::Search;
pub(crate) use self::stream::Item;
use crate::arguments::Arguments;

/// All that was asked for, in order.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// Pictures that stand next to each other are one unit, or several of at most as many pictures as was asked for.
    pub(crate) units: Vec<Unit>,
    /// The column of Parquet that holds pictures, if it was named.
    column: Option<String>,
}

/// A part of the input that has an output of its own.
#[derive(Debug)]
pub(crate) enum Unit {
    /// Files, and standard input for `-`.
    Pictures(Vec<PathBuf>),
    /// A tar archive or Parquet file.
    Shard(PathBuf),
}

impl Inputs {
    /// What the arguments name, and what is wrong with some of them.
    pub(crate) fn find(arguments: &Arguments) -> (Self, Vec<InputError>) {
        let mut search = Search::new(arguments.recursive);
        for image in &arguments.images {
            search.argument(image);
        }
        for list in &arguments.list {
            search.list(list);
        }
        let (paths, errors) = search.found();
        let mut units: Vec<Unit> = Vec::new();
        let most = arguments.pictures_per_output.get();
        for path in paths {
            match units.last_mut() {
                _ if is_shard(&path) => units.push(Unit::Shard(path)),
                Some(Unit::Pictures(pictures)) if pictures.len() < most => pictures.push(path),
                _ => units.push(Unit::Pictures(vec![path])),
            }
        }
        let column = arguments.image_column.clone();
        (Self { units, column }, errors)
    }

    /// Whether a picture comes from standard input, which nobody can read a second time.
    pub(crate) fn have_standard_input(&self) -> bool {
        let is_standard_input = |path: &PathBuf| path.as_os_str() == STANDARD_INPUT;
        self.units.iter().any(|unit| match unit {
            Unit::Pictures(paths) => paths.iter().any(is_standard_input),
            Unit::Shard(_) => false,
        })
    }

    /// About how many pictures some units have. Those of the first shard are counted, the others' follow from their sizes.
    pub(crate) fn estimate(&self, units: &[usize]) -> u64 {
        let (mut pictures, mut bytes, mut first) = (0, 0, None);
        for unit in units {
            match &self.units[*unit] {
                Unit::Pictures(paths) => pictures += paths.len() as u64,
                Unit::Shard(path) => {
                    let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
                    bytes += size;
                    first = first.or(Some((path, size)));
                }
            }
        }
        let Some((path, size)) = first else {
            return pictures;
        };
        let counted = Dataset::open(path, &self.options());
        let counted = counted.map_or(0, |shard| shard.captions().count() as u64);
        let of_all = u128::from(counted) * u128::from(bytes) / u128::from(size.max(1));
        pictures + u64::try_from(of_all).unwrap_or(u64::MAX)
    }

    /// How many pictures there are, if there is no shard, in which they would have to be counted.
    pub(crate) fn count(&self) -> Option<usize> {
        let count = |unit: &Unit| match unit {
            Unit::Pictures(pictures) => Some(pictures.len()),
            Unit::Shard(_) => None,
        };
        self.units.iter().map(count).sum()
    }
}

/// Whether a file holds pictures, by its name.
fn is_shard(path: &Path) -> bool {
    let extension = path.extension().and_then(|end| end.to_str());
    extension.is_some_and(|end| SHARDS.iter().any(|shard| end.eq_ignore_ascii_case(shard)))
}

/// The extensions of files that hold pictures.
const SHARDS: [&str; 2] = ["parquet", "tar"];
