//! Where each example of a file begins, in a file of its own: 16 bytes for an example on disk, none in memory.
//!
//! ```text
//! 8 bytes    the name and version of the format
//! 8 bytes    the length of the header
//! header     JSON: what was indexed, how many examples there are, what was skipped
//! entries    offset and row of each example, 8 bytes each, least significant byte first
//! ```

use std::fs::{self, File, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::positioned::{OpenFiles, Stamp, read_exact_at, unreadable};
use crate::source::{Place, Source};
use crate::{Entry, Error, Options, SkipCounts, SkipReason, Skipped};

const MAGIC: [u8; 8] = *b"capidx01";
const ENTRY: u64 = 16;
const MAX_HEADER: u64 = 1 << 20;

/// Skipped entries of which more is kept than their number.
const MAX_SAMPLES: usize = 100;

/// Where the entries begin in a file of their own. The header stands before them, in a place that is reserved for it.
const START: u64 = 16 + MAX_HEADER;

/// The index of a file.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    entries: Entries,
    start: u64,
    pub(crate) header: Arc<Header>,
}

/// The file with the entries.
#[derive(Clone, Debug)]
enum Entries {
    /// In the folder of indexes, and open only while it is in use.
    Kept {
        path: Arc<Path>,
        files: Arc<OpenFiles>,
    },
    /// One for all files of the data set, which vanishes at the end.
    Temporary(Arc<File>),
}

/// Makes the indexes of a data set.
pub(crate) struct Indexes<'a> {
    options: &'a Options,
    files: &'a Arc<OpenFiles>,
    temporary: Option<Arc<File>>,
}

/// What is known about a file after it was read once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    stamp: Stamp,
    /// The options that decide what an example is.
    options: String,
    pub(crate) examples: u64,
    pub(crate) skipped: SkipCounts,
    samples: Vec<Sample>,
    /// Of the entries, so that a damaged index is made anew.
    checksum: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sample {
    row: u64,
    image: Option<String>,
    reason: SkipReason,
    detail: String,
}

impl<'a> Indexes<'a> {
    pub(crate) fn new(options: &'a Options, files: &'a Arc<OpenFiles>) -> Self {
        Self {
            options,
            files,
            temporary: None,
        }
    }

    /// Finds the index of a file in the folder of indexes, or makes it. `progress` is told how many examples were found.
    pub(crate) fn of(
        &mut self,
        source: &Source,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Index, Error> {
        match &self.options.index_folder {
            Some(folder) => self.kept(folder, source, progress),
            None => self.temporary(source, progress),
        }
    }

    fn temporary(
        &mut self,
        source: &Source,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Index, Error> {
        let failure = |source| not_written(&std::env::temp_dir(), source);
        let file = match self.temporary.take() {
            Some(file) => file,
            None => Arc::new(tempfile::tempfile().map_err(failure)?),
        };
        self.temporary = Some(Arc::clone(&file));
        let mut writer = BufWriter::new(&*file);
        let start = writer.seek(SeekFrom::End(0)).map_err(failure)?;
        let header = write(source, self.options, &mut writer, &failure, progress)?;
        writer.flush().map_err(failure)?;
        drop(writer);
        Ok(Index {
            entries: Entries::Temporary(file),
            start,
            header: Arc::new(header),
        })
    }

    fn kept(
        &self,
        folder: &Path,
        source: &Source,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Index, Error> {
        let path: Arc<Path> = place_in(folder, source.path(), self.options).into();
        let header = match stored(&path, source, self.options) {
            Some(header) => header,
            None => {
                fs::create_dir_all(folder).map_err(|source| not_written(folder, source))?;
                self.make(folder, &path, source, progress)?
            }
        };
        Ok(Index {
            entries: Entries::Kept {
                path,
                files: Arc::clone(self.files),
            },
            start: START,
            header: Arc::new(header),
        })
    }

    /// Writes a file that appears when it is complete.
    fn make(
        &self,
        folder: &Path,
        path: &Path,
        source: &Source,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Header, Error> {
        let failure = |source| not_written(folder, source);
        // Others may read it, as any file that a program writes; a temporary file of the crate's own is for its user alone.
        let new = tempfile::Builder::new().make_in(folder, |path| File::create_new(path));
        let mut new = new.map_err(failure)?;
        let mut writer = BufWriter::new(new.as_file_mut());
        writer.seek(SeekFrom::Start(START)).map_err(failure)?;
        let header = write(source, self.options, &mut writer, &failure, progress)?;
        let bytes = serde_json::to_vec(&header).map_err(|error| failure(error.into()))?;
        let length = bytes.len() as u64;
        let mut finish = || {
            writer.seek(SeekFrom::Start(0))?;
            writer.write_all(&MAGIC)?;
            writer.write_all(&length.to_le_bytes())?;
            writer.write_all(&bytes)?;
            writer.flush()
        };
        finish().map_err(failure)?;
        drop(writer);
        let kept = new.persist(path);
        kept.map_err(|failure| not_written(path, failure.error))?;
        Ok(header)
    }
}

impl Index {
    /// Where an example begins.
    pub(crate) fn place(&self, position: u64) -> Result<Place, Error> {
        let (file, path) = match &self.entries {
            Entries::Temporary(file) => (Arc::clone(file), std::env::temp_dir()),
            Entries::Kept { path, files } => {
                let file = files.get(path, |file, _| self.check(path, file))?;
                (file, path.to_path_buf())
            }
        };
        let mut entry = [0; ENTRY as usize];
        read_exact_at(&file, &mut entry, self.start + position * ENTRY)
            .map_err(|source| unreadable(&path, source))?;
        let (words, _) = entry.as_chunks::<8>();
        Ok(Place {
            offset: u64::from_le_bytes(words[0]),
            row: u64::from_le_bytes(words[1]),
        })
    }

    /// Some of the entries that were skipped.
    pub(crate) fn samples(&self, path: &Path) -> impl Iterator<Item = Skipped> {
        self.header.samples.iter().map(move |sample| Skipped {
            origin: crate::Origin {
                file: path.to_owned(),
                row: sample.row,
            },
            image: sample.image.clone(),
            reason: sample.reason,
            detail: sample.detail.clone(),
        })
    }

    /// Refuses another index in the place of this one.
    fn check(&self, path: &Path, file: &File) -> Result<(), Error> {
        match header_of(file).is_some_and(|header| header == *self.header) {
            true => Ok(()),
            false => Err(Error::Changed {
                path: path.to_owned(),
            }),
        }
    }
}

/// Writes the entries of a file, and returns what is known about it then.
fn write(
    source: &Source,
    options: &Options,
    writer: &mut impl Write,
    failure: &dyn Fn(io::Error) -> Error,
    progress: &mut dyn FnMut(u64),
) -> Result<Header, Error> {
    let mut header = Header {
        stamp: source.stamp(),
        options: meaning(options),
        examples: 0,
        skipped: SkipCounts::default(),
        samples: Vec::new(),
        checksum: 0,
    };
    let mut walk = source.walk(false)?;
    while let Some((place, entry)) = walk.next_entry()? {
        match entry {
            Entry::Example(_) => {
                for word in [place.offset, place.row] {
                    writer.write_all(&word.to_le_bytes()).map_err(failure)?;
                    header.checksum = mixed(header.checksum, word);
                }
                header.examples += 1;
                if header.examples.is_multiple_of(1 << 12) {
                    progress(header.examples);
                }
            }
            Entry::Skipped(skipped) => header.add(skipped),
        }
    }
    progress(header.examples);
    Ok(header)
}

/// What an index from before says, if it is whole and of this very file, read with these options.
fn stored(path: &Path, source: &Source, options: &Options) -> Option<Header> {
    let (file, metadata) = whole_files::open(path).ok()?;
    let header = header_of(&file)?;
    let fits = header.stamp == source.stamp()
        && header.options == meaning(options)
        && fits(&header, &metadata)
        && checksum(&file, START).ok()? == header.checksum;
    fits.then_some(header)
}

fn fits(header: &Header, metadata: &Metadata) -> bool {
    let size = header.examples.checked_mul(ENTRY);
    let size = size.and_then(|size| size.checked_add(START));
    size == Some(metadata.len()) || header.examples == 0
}

fn header_of(file: &File) -> Option<Header> {
    let mut start = [0; 16];
    read_exact_at(file, &mut start, 0).ok()?;
    let (words, _) = start.as_chunks::<8>();
    let length = u64::from_le_bytes(words[1]);
    if words[0] != MAGIC || length > MAX_HEADER {
        return None;
    }
    let mut bytes = vec![0; length as usize];
    read_exact_at(file, &mut bytes, 16).ok()?;
    serde_json::from_slice(&bytes).ok()
}

impl Header {
    fn add(&mut self, skipped: Skipped) {
        self.skipped.add(skipped.reason);
        if self.samples.len() < MAX_SAMPLES {
            let short = |text: String| text.chars().take(200).collect::<String>();
            self.samples.push(Sample {
                row: skipped.origin.row,
                image: skipped.image.map(short),
                reason: skipped.reason,
                detail: short(skipped.detail),
            });
        }
    }
}

fn not_written(path: &Path, source: io::Error) -> Error {
    Error::Io {
        action: "write the index to",
        path: path.to_owned(),
        source,
    }
}

/// The options on which it depends what the examples of a file are and where they begin.
fn meaning(options: &Options) -> String {
    let Options {
        format,
        columns,
        language,
        quoting,
        max_row_bytes,
        max_image_bytes,
        captions,
        image_folder: _,
        index_folder: _,
    } = options;
    let language = language.map(|language| language.code);
    format!(
        "{format:?} {columns:?} {language:?} {quoting:?} {max_row_bytes} {max_image_bytes} {captions}"
    )
}

/// The name of an index holds that of its file, and tells files of the same name in different folders apart, and readers
/// with other options, so that they don't replace each other's.
fn place_in(folder: &Path, file: &Path, options: &Options) -> PathBuf {
    let whole = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut hasher = DefaultHasher::new();
    whole.hash(&mut hasher);
    meaning(options).hash(&mut hasher);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name: String = name.chars().take(100).collect();
    folder.join(format!("{name}-{:016x}.index", hasher.finish()))
}

/// Takes one more number into a checksum.
fn mixed(checksum: u64, word: u64) -> u64 {
    (checksum.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn checksum(mut file: &File, start: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(start))?;
    let mut reader = io::BufReader::with_capacity(1 << 16, file);
    let (mut sum, mut word) = (0, [0; 8]);
    loop {
        match reader.read_exact(&mut word) {
            Ok(()) => sum = mixed(sum, u64::from_le_bytes(word)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(sum),
            Err(error) => return Err(error),
        }
    }
}
