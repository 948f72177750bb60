use std::sync::Arc;

use crate::index::{Index, Indexes};
use crate::positioned::OpenFiles;
use crate::source::{Place, Source};
use crate::{Entry, Error, Options, SkipCounts, Skipped};

/// A data set of which any example can be read: what [`Dataset::index`](crate::Dataset::index) makes.
///
/// Positions count from 0 through all files in order. A clone is cheap, and threads share one. In memory is what a file
/// takes, and nothing that grows with the number of examples.
#[derive(Clone, Debug)]
pub struct IndexedDataset {
    parts: Arc<[Part]>,
    blocks: Option<Arc<[u64]>>,
}

#[derive(Clone, Debug)]
struct Part {
    source: Source,
    /// `None` where positions are rows.
    index: Option<Index>,
    /// The position after its last example.
    end: u64,
}

impl IndexedDataset {
    pub(crate) fn new(
        sources: &[Source],
        files: &Arc<OpenFiles>,
        options: &Options,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, Error> {
        let mut parts: Vec<Part> = Vec::with_capacity(sources.len());
        let mut end = 0;
        let mut indexes = Indexes::new(options, files);
        for source in sources {
            let (index, count) = match source.blocks() {
                Some(blocks) => (None, blocks.iter().sum()),
                None => {
                    let index = indexes.of(source, &mut |count| progress(end + count))?;
                    let count = index.header.examples;
                    (Some(index), count)
                }
            };
            end += count;
            parts.push(Part {
                source: source.clone(),
                index,
                end,
            });
        }
        Ok(Self {
            blocks: blocks(&parts),
            parts: parts.into(),
        })
    }

    /// The number of examples.
    pub fn len(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.end)
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The example at a position. It is read anew each time; in Parquet, the row groups that were used last are kept.
    ///
    /// A [`Skipped`] comes only from Parquet, whose rows are not read when it is opened: also where a row group is damaged.
    ///
    /// # Errors
    /// - [`Error::Read`] if the file can't be read.
    /// - [`Error::Changed`] if it, or its index, was written to since it was opened.
    ///
    /// # Panics
    /// If there is no such position.
    pub fn get(&self, position: u64) -> Result<Entry, Error> {
        assert!(
            position < self.len(),
            "position {position} of {}",
            self.len()
        );
        let number = self.parts.partition_point(|part| part.end <= position);
        let start = number
            .checked_sub(1)
            .map_or(0, |before| self.parts[before].end);
        let part = &self.parts[number];
        let place = match &part.index {
            Some(index) => index.place(position - start)?,
            None => Place {
                offset: position - start,
                row: position - start + 1,
            },
        };
        part.source.entry_at(place)
    }

    /// How many entries of tables and shards were skipped when they were indexed.
    pub fn skip_counts(&self) -> SkipCounts {
        let mut counts = SkipCounts::default();
        for index in self.parts.iter().filter_map(|part| part.index.as_ref()) {
            counts.merge(&index.header.skipped);
        }
        counts
    }

    /// The first entries that were skipped, at most a hundred of each file.
    pub fn skipped(&self) -> impl Iterator<Item = Skipped> {
        self.parts.iter().flat_map(|part| {
            let index = part.index.as_ref();
            index
                .into_iter()
                .flat_map(|index| index.samples(part.source.path()))
        })
    }

    /// Keeps this many row groups in memory, and one more for those that begin to be read before all have ended.
    pub(crate) fn keep_blocks(&self, count: usize) {
        for part in &self.parts[..] {
            part.source.keep_blocks(count + 1);
        }
    }

    /// The sizes of the parts that are read as a whole, in order, if the data set has such: the row groups of Parquet.
    pub(crate) fn blocks(&self) -> Option<&Arc<[u64]>> {
        self.blocks.as_ref()
    }
}

/// The blocks of all files if one has any; a file without is one block.
fn blocks(parts: &[Part]) -> Option<Arc<[u64]>> {
    parts.iter().find(|part| part.source.blocks().is_some())?;
    let mut sizes = Vec::new();
    let mut start = 0;
    for part in parts {
        match part.source.blocks() {
            Some(blocks) => sizes.extend_from_slice(blocks),
            None => sizes.push(part.end - start),
        }
        start = part.end;
    }
    Some(sizes.into())
}
