//! Where each example of a file begins, in a file of its own: 16 bytes for an example on disk, none in memory.
//!
//! ```text
//! 8 bytes    the name and version of the format
//! 8 bytes    the length of the header
//! header     JSON: what was indexed, how many examples there are, what was skipped
//! entries    offset and row of each example, 8 bytes each, least significant byte first
//! ```

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::positioned::{Stamp, read_exact_at};
use crate::source::{Place, Source};
use crate::{Entry, Error, Options, SkipCounts, SkipReason, Skipped};

const MAGIC: [u8; 8] = *b"capidx01";
const ENTRY: u64 = 16;
const MAX_HEADER: u64 = 1 << 20;

/// Skipped entries of which more is kept than their number.
const MAX_SAMPLES: usize = 100;

/// The open index of a file.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    file: Arc<File>,
    start: u64,
    pub(crate) header: Arc<Header>,
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

impl Index {
    /// Finds the index of a file in the folder of indexes, or makes it. `progress` is told how many examples were found.
    pub(crate) fn of(
        source: &Source,
        options: &Options,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, Error> {
        let Some(folder) = &options.index_folder else {
            let failure = |source| not_written(&std::env::temp_dir(), source);
            let file = tempfile::tempfile().map_err(failure)?;
            return Self::make(source, options, file, progress);
        };
        let path = place_in(folder, source.path());
        if let Some(index) = Self::stored(&path, source, options) {
            return Ok(index);
        }
        fs::create_dir_all(folder).map_err(|source| not_written(folder, source))?;
        let new = tempfile::NamedTempFile::new_in(folder);
        let new = new.map_err(|source| not_written(folder, source))?;
        let file = new.reopen().map_err(|source| not_written(folder, source))?;
        let index = Self::make(source, options, file, progress)?;
        let kept = new.persist(&path);
        kept.map_err(|failure| not_written(&path, failure.error))?;
        Ok(index)
    }

    /// Where an example begins.
    pub(crate) fn place(&self, position: u64) -> io::Result<Place> {
        let mut entry = [0; ENTRY as usize];
        read_exact_at(&self.file, &mut entry, self.start + position * ENTRY)?;
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

    fn make(
        source: &Source,
        options: &Options,
        file: File,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, Error> {
        let failure = |error| {
            not_written(
                options
                    .index_folder
                    .as_deref()
                    .unwrap_or(&std::env::temp_dir()),
                error,
            )
        };
        let mut header = Header {
            stamp: source.stamp(),
            options: meaning(options),
            examples: 0,
            skipped: SkipCounts::default(),
            samples: Vec::new(),
            checksum: 0,
        };
        // The header is written at the end of a reserved place, when it is known.
        let start = 16 + MAX_HEADER;
        let mut writer = BufWriter::new(file);
        writer.seek(SeekFrom::Start(start)).map_err(failure)?;
        let mut walk = source.walk(false)?;
        while let Some((place, entry)) = walk.next_entry()? {
            match entry {
                Entry::Example(_) => {
                    let words = [place.offset, place.row];
                    for word in words {
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
        let bytes = serde_json::to_vec(&header).map_err(|error| failure(error.into()))?;
        writer.seek(SeekFrom::Start(0)).map_err(failure)?;
        writer.write_all(&MAGIC).map_err(failure)?;
        writer
            .write_all(&(bytes.len() as u64).to_le_bytes())
            .map_err(failure)?;
        writer.write_all(&bytes).map_err(failure)?;
        let file = writer
            .into_inner()
            .map_err(|error| failure(error.into_error()))?;
        Ok(Self {
            file: Arc::new(file),
            start,
            header: Arc::new(header),
        })
    }

    /// An index from before, if it is whole and of this very file, read with these options.
    fn stored(path: &Path, source: &Source, options: &Options) -> Option<Self> {
        let (file, metadata) = whole_files::open(path).ok()?;
        let mut start = [0; 16];
        read_exact_at(&file, &mut start, 0).ok()?;
        let (words, _) = start.as_chunks::<8>();
        let length = u64::from_le_bytes(words[1]);
        if words[0] != MAGIC || length > MAX_HEADER {
            return None;
        }
        let mut bytes = vec![0; length as usize];
        read_exact_at(&file, &mut bytes, 16).ok()?;
        let header: Header = serde_json::from_slice(&bytes).ok()?;
        let start = 16 + MAX_HEADER;
        let size = header.examples.checked_mul(ENTRY)?.checked_add(start)?;
        let fits = header.stamp == source.stamp()
            && header.options == meaning(options)
            && (metadata.len() == size || header.examples == 0)
            && checksum(&file, start).ok()? == header.checksum;
        fits.then(|| Self {
            file: Arc::new(file),
            start,
            header: Arc::new(header),
        })
    }
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
        image_folder: _,
        index_folder: _,
    } = options;
    let language = language.map(|language| language.code);
    format!("{format:?} {columns:?} {language:?} {quoting:?} {max_row_bytes} {max_image_bytes}")
}

/// The name of an index holds that of its file, and tells files of the same name in different folders apart.
fn place_in(folder: &Path, file: &Path) -> PathBuf {
    let whole = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut hasher = DefaultHasher::new();
    whole.hash(&mut hasher);
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
