use std::path::Path;
use std::sync::Arc;

use crate::indexed::IndexedDataset;
use crate::source::{Shared, Source, Walk};
use crate::{Error, Example, Options, Skipped, files};

/// An example of a data set, or what stands in the place of one.
#[derive(Clone, Debug)]
pub enum Entry {
    /// An image and its captions.
    Example(Example),
    /// A row, entry or image that can't be used.
    Skipped(Skipped),
}

/// A data set in one or several files, none of which is held in memory.
///
/// A clone is cheap and reads the same files.
#[derive(Clone, Debug)]
pub struct Dataset {
    sources: Arc<[Source]>,
    shared: Arc<Shared>,
    options: Arc<Options>,
}

impl Dataset {
    /// Opens a data set: a file, a folder of tables and shards, or a pattern of file names with `*`, `?`, `[..]`, a list
    /// `{train,more}` or a range `{000..127}`.
    ///
    /// # Errors
    /// Those of [`open_all`](Self::open_all).
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Self, Error> {
        Self::open_all(&[path], options)
    }

    /// Opens a data set of several files, folders or patterns, in this order; files of a folder or pattern are in the
    /// order of their names.
    ///
    /// # Errors
    /// - [`Error::Read`] if a file can't be read, [`Error::Io`] if a folder can't be listed.
    /// - [`Error::NoFiles`] if there is nothing under a path, [`Error::Pattern`] if a pattern can't be understood.
    /// - [`Error::UnknownFormat`] if a file has none of the formats, or one that this crate was built without.
    /// - [`Error::Header`], [`Error::MissingColumn`] or [`Error::RepeatedColumn`] if a table lacks the columns that
    ///   [`Options::columns`] names.
    /// - [`Error::Damaged`] if Parquet's metadata can't be read.
    pub fn open_all<P: AsRef<Path>>(paths: &[P], options: &Options) -> Result<Self, Error> {
        let (mut sources, shared) = (Vec::new(), Shared::default());
        for path in paths {
            for file in files::expand(path.as_ref())? {
                sources.push(Source::open(&file, options, &shared)?);
            }
        }
        Ok(Self {
            sources: sources.into(),
            shared: Arc::new(shared),
            options: Arc::new(options.clone()),
        })
    }

    /// The files, in order.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.sources.iter().map(Source::path)
    }

    /// All examples, in the order of the files, and the entries that can't be used. A file is read as the iterator goes
    /// on; nothing is indexed.
    pub fn examples(&self) -> Examples {
        self.walk(true)
    }

    /// Does as [`examples`](Self::examples), but leaves out the content of images that are stored in shards: it is
    /// empty, and is not read.
    pub fn captions(&self) -> Examples {
        self.walk(false)
    }

    fn walk(&self, images: bool) -> Examples {
        Examples {
            sources: Arc::clone(&self.sources),
            source: 0,
            walk: None,
            images,
        }
    }

    /// Makes the data set readable at any position. Each file is read once from one end to the other, unless its index
    /// is in [`Options::index_folder`]: a table of ten million rows takes some seconds, a shard as long as it takes to
    /// read its captions.
    ///
    /// # Errors
    /// - [`Error::Read`] if a file can't be read.
    /// - [`Error::Io`] if an index can't be written.
    pub fn index(&self) -> Result<IndexedDataset, Error> {
        self.index_with(&mut |_| {})
    }

    /// Does as [`index`](Self::index), and says now and then how many examples were found so far.
    ///
    /// # Errors
    /// - [`Error::Read`] if a file can't be read.
    /// - [`Error::Io`] if an index can't be written.
    pub fn index_with(&self, progress: &mut dyn FnMut(u64)) -> Result<IndexedDataset, Error> {
        IndexedDataset::new(&self.sources, &self.shared.files, &self.options, progress)
    }
}

/// Goes through a data set in order: the iterator of [`Dataset::examples`].
///
/// An error means that the rest of a file can't be read; the iterator goes on with the next file.
pub struct Examples {
    sources: Arc<[Source]>,
    source: usize,
    walk: Option<Box<dyn Walk>>,
    images: bool,
}

impl Examples {
    fn next_entry(&mut self, source: &Source) -> Result<Option<Entry>, Error> {
        let walk = match &mut self.walk {
            Some(walk) => walk,
            None => self.walk.insert(source.walk(self.images)?),
        };
        Ok(walk.next_entry()?.map(|(_, entry)| entry))
    }
}

impl Iterator for Examples {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let sources = Arc::clone(&self.sources);
            let result = self.next_entry(sources.get(self.source)?).transpose();
            if !matches!(result, Some(Ok(_))) {
                self.walk = None;
                self.source += 1;
            }
            if result.is_some() {
                return result;
            }
        }
    }
}
