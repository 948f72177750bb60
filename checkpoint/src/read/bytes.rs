use std::borrow::Cow;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use whole_files::{ReadError, StandIn};

use super::mapped::map;
use crate::LoadError;

/// Bytes of a file or in memory that can be read at any position.
#[derive(Debug)]
pub(crate) struct Bytes {
    /// The path, or another name for messages.
    origin: String,
    /// The name of their format in messages.
    format: &'static str,
    length: u64,
    storage: Storage,
}

#[derive(Debug)]
enum Storage {
    File(File),
    Memory(Cow<'static, [u8]>),
    Map(bytes::Bytes),
}

impl Bytes {
    pub(crate) fn open(path: &Path, format: &'static str) -> Result<Self, LoadError> {
        let (file, length) = open(path)?;
        Ok(Self {
            origin: path.display().to_string(),
            format,
            length,
            storage: Storage::File(file),
        })
    }

    pub(crate) fn from_memory(
        origin: &str,
        format: &'static str,
        bytes: Cow<'static, [u8]>,
    ) -> Self {
        Self {
            origin: origin.into(),
            format,
            length: bytes.len() as u64,
            storage: Storage::Memory(bytes),
        }
    }

    /// Maps a file, which must not change while it is mapped; see [`map`].
    pub(crate) fn mapped(path: &Path, format: &'static str) -> Result<Self, LoadError> {
        let map = map(path)?;
        Ok(Self {
            origin: path.display().to_string(),
            format,
            length: map.len() as u64,
            storage: Storage::Map(map),
        })
    }

    /// A part of a mapped file, without a copy. `None` if the file is not mapped or ends before the part.
    pub(crate) fn part_of_map(&self, range: Range<u64>) -> Option<bytes::Bytes> {
        let range = usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?;
        match &self.storage {
            Storage::Map(map) => map.get(range.clone()).map(|_| map.slice(range)),
            Storage::File(_) | Storage::Memory(_) => None,
        }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Fills `bytes`, beginning at position `start`.
    pub(crate) fn read(&self, start: u64, bytes: &mut [u8]) -> Result<(), LoadError> {
        let result = match &self.storage {
            Storage::File(file) => read_exact_at(file, start, bytes),
            Storage::Memory(memory) => copy(memory, start, bytes),
            Storage::Map(map) => copy(map, start, bytes),
        };
        result.map_err(|error| self.error(error))
    }

    /// The error for bytes that violate their format.
    pub(crate) fn damaged(&self, reason: impl Into<String>) -> LoadError {
        LoadError::Format {
            origin: self.origin.clone(),
            format: self.format,
            reason: reason.into(),
        }
    }

    /// The error for a read that failed.
    pub(crate) fn error(&self, source: io::Error) -> LoadError {
        match source.kind() {
            ErrorKind::UnexpectedEof => self.damaged("it ends too early"),
            _ => LoadError::Io {
                path: PathBuf::from(&self.origin),
                source,
            },
        }
    }

    /// A reader that begins at position 0.
    pub(crate) fn reader(&self) -> BytesReader<'_> {
        BytesReader {
            bytes: self,
            position: 0,
        }
    }
}

/// Opens a regular file that is not what stands in place of one, at its beginning. Returns its length too.
pub(super) fn open(path: &Path) -> Result<(File, u64), LoadError> {
    const STAND_IN_BYTES: u64 = 512;
    let io = |source| LoadError::Io {
        path: path.to_owned(),
        source,
    };
    let (mut file, metadata) = whole_files::open(path)?;
    let mut start = Vec::new();
    file.by_ref()
        .take(STAND_IN_BYTES)
        .read_to_end(&mut start)
        .map_err(io)?;
    if let Some(found) = StandIn::recognise(&start) {
        return Err(LoadError::File(ReadError::StandIn {
            path: path.to_owned(),
            found,
        }));
    }
    file.rewind().map_err(io)?;
    Ok((file, metadata.len()))
}

/// Fills `bytes` from the memory, beginning at position `start`.
fn copy(memory: &[u8], start: u64, bytes: &mut [u8]) -> io::Result<()> {
    usize::try_from(start)
        .ok()
        .and_then(|start| memory.get(start..)?.get(..bytes.len()))
        .map(|found| bytes.copy_from_slice(found))
        .ok_or_else(|| ErrorKind::UnexpectedEof.into())
}

/// Reads at a position without moving that of the file, which all threads share.
#[cfg(unix)]
fn read_exact_at(file: &File, start: u64, bytes: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, start)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut start: u64, mut bytes: &mut [u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !bytes.is_empty() {
        match file.seek_read(bytes, start) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                bytes = &mut bytes[length..];
                start += length as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Other systems, such as WebAssembly, have no such function. Where they have files, they have one thread.
#[cfg(not(any(unix, windows)))]
fn read_exact_at(mut file: &File, start: u64, bytes: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(bytes)
}

/// Reads [`Bytes`] sequentially.
#[derive(Debug)]
pub(crate) struct BytesReader<'a> {
    bytes: &'a Bytes,
    position: u64,
}

impl Read for BytesReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.bytes.length.saturating_sub(self.position);
        let length = buffer
            .len()
            .min(usize::try_from(rest).unwrap_or(usize::MAX));
        match self.bytes.read(self.position, &mut buffer[..length]) {
            Ok(()) => {
                self.position += length as u64;
                Ok(length)
            }
            Err(LoadError::Io { source, .. }) => Err(source),
            // The file was truncated after it was opened.
            Err(_) => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Seek for BytesReader<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let position = match position {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.bytes.length.checked_add_signed(offset),
        };
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
