//! The members of a tar archive one by one, from any place between two of them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::positioned::read_at;

const BLOCK: u64 = 512;

/// What the headers of one member may take, long names and extensions included.
const MAX_HEADERS: u64 = 1 << 20;

/// A file in an archive.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) path: Vec<u8>,
    pub(super) is_file: bool,
    /// Where its content begins.
    pub(super) content: u64,
    pub(super) bytes: u64,
    /// Where what follows it begins.
    pub(super) next: u64,
}

/// What is at a place.
#[derive(Debug)]
pub(super) enum Found {
    Member(Member),
    /// The mark at the end of an archive.
    End,
    /// The end of the file, where a member or the mark should be.
    CutShort,
    /// Something else.
    Damaged(String),
}

/// Reads the headers of the member that begins at `offset`. An error is one of the operating system.
pub(super) fn member(file: &Arc<File>, offset: u64, length: u64) -> io::Result<Found> {
    if offset >= length {
        return Ok(Found::CutShort);
    }
    let reader = Positioned {
        file: Arc::clone(file),
        start: offset,
        position: 0,
        allowed: MAX_HEADERS,
        failure: None,
        at_end: false,
    };
    let mut archive = tar::Archive::new(reader);
    let result = first(&mut archive, offset);
    let reader = archive.into_inner();
    match (result, reader.failure) {
        (_, Some(error)) => Err(error),
        // Whatever else is wrong, the file ends too early.
        (Ok(None) | Err(_), _) if reader.at_end => Ok(Found::CutShort),
        (Ok(None), _) => Ok(Found::End),
        (Ok(Some(member)), _) if member.next - offset < BLOCK => {
            Ok(Found::Damaged("a member without a header".to_owned()))
        }
        (Ok(Some(member)), _) => Ok(Found::Member(member)),
        (Err(error), _) => Ok(Found::Damaged(error.to_string())),
    }
}

fn first(archive: &mut tar::Archive<Positioned>, offset: u64) -> io::Result<Option<Member>> {
    let Some(entry) = archive.entries_with_seek()?.next() else {
        return Ok(None);
    };
    let entry = entry?;
    let end = || io::Error::other("a size beyond all files");
    let content = offset
        .checked_add(entry.raw_file_position())
        .ok_or_else(end)?;
    let bytes = entry.size();
    let padded = bytes.checked_next_multiple_of(BLOCK).ok_or_else(end)?;
    Ok(Some(Member {
        path: entry.path_bytes().into_owned(),
        is_file: entry.header().entry_type().is_file(),
        content,
        bytes,
        next: content.checked_add(padded).ok_or_else(end)?,
    }))
}

/// A file from a place on, of which only some bytes may be read.
struct Positioned {
    file: Arc<File>,
    start: u64,
    position: u64,
    allowed: u64,
    failure: Option<io::Error>,
    /// Whether more was asked for than there is.
    at_end: bool,
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.allowed == 0 && !buffer.is_empty() {
            return Err(io::Error::other("names and extensions of more than 1 MiB"));
        }
        let end = buffer
            .len()
            .min(usize::try_from(self.allowed).unwrap_or(usize::MAX));
        let offset = self.start.saturating_add(self.position);
        match read_at(&self.file, &mut buffer[..end], offset) {
            Ok(count) => {
                self.at_end |= count < end;
                self.position += count as u64;
                self.allowed -= count as u64;
                Ok(count)
            }
            Err(error) => {
                let kind = error.kind();
                self.failure = Some(error);
                Err(kind.into())
            }
        }
    }
}

impl Seek for Positioned {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
            SeekFrom::End(_) => None,
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
