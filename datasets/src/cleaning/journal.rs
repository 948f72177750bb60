use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::check::shortened;
use super::record::{Reader, Record};
use super::{Identity, PictureCheck};

/// What checks have found, on disk, so that they are not done twice.
///
/// Records stand in the order of the data, in blocks with a length and a checksum, behind a head with a hash of everything
/// that checks depend on. Whatever kills the program, all blocks but the last are whole; one that is not whole ends the
/// journal. A record holds what a check found and not what was decided, so other rules can be tried without another
/// check, and it holds a stamp of the picture (name, size and time of its file, or a hash of its bytes), so that a record of
/// another picture is never used.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Reads what earlier runs have written, until the first record that is of no use.
    earlier: Option<BufReader<File>>,
    /// Where the next block that is read begins.
    next_block: u64,
    /// Records of a block that are still to be handed out.
    block: std::vec::IntoIter<Record>,
    /// The place of the next of them.
    place: Place,
    /// The end of what is valid, once nothing more is read.
    end: u64,
    pending: Vec<Record>,
    flushed: Instant,
}

/// Where a record stands in a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Where its block begins.
    pub(super) block: u64,
    /// Its index within the block.
    pub(super) index: usize,
}

/// The journal can't be read or written. What it held before is not lost.
#[derive(Debug, thiserror::Error)]
#[error("can't {action} the journal {}", path.display())]
pub struct JournalError {
    /// What was tried.
    pub action: &'static str,
    /// The file.
    pub path: PathBuf,
    /// The error of the operating system.
    pub source: io::Error,
}

/// The first bytes of a journal. The number is to change with the format, and whenever a check comes to other results.
const MAGIC: &[u8; 24] = b"journal of pictures 001\n";
/// How many of them say what kind of file it is.
const KIND: usize = 19;
const HEAD: usize = MAGIC.len() + 32;
/// Length, number of records, checksum.
const BLOCK_HEAD: usize = 4 + 4 + 16;
/// The longest block that is read. Those that are written have some tens of kilobytes.
const LONGEST_BLOCK: u32 = 16 << 20;
/// A block is written when it has this many records, or is this old.
const RECORDS: usize = 256;
const AGE: Duration = Duration::from_secs(1);

impl Journal {
    /// Opens the journal of a check, or begins one. A journal of a check with other options is begun anew.
    ///
    /// # Errors
    /// [`JournalError`] if the file can't be read or written, or is something else.
    pub fn open(path: impl AsRef<Path>, check: &PictureCheck) -> Result<Self, JournalError> {
        let path = path.as_ref().to_owned();
        let fail = |action| {
            let path = path.clone();
            move |source| JournalError {
                action,
                path,
                source,
            }
        };
        let expected = head(check);
        let is_ours = match start(&path).map_err(fail("read"))? {
            None => false,
            Some(found) if found.starts_with(&MAGIC[..KIND]) => found == expected,
            Some(_) => {
                let problem = "it is something else; name another file";
                return Err(fail("use as")(io::Error::new(
                    ErrorKind::InvalidData,
                    problem,
                )));
            }
        };
        if !is_ours {
            begin(&path, &expected).map_err(fail("write"))?;
        }
        let mut options = OpenOptions::new();
        let file = options.write(true).open(&path).map_err(fail("open"))?;
        let mut earlier = None;
        if is_ours {
            let mut file = File::open(&path).map_err(fail("read"))?;
            file.seek(SeekFrom::Start(HEAD as u64))
                .map_err(fail("read"))?;
            earlier = Some(BufReader::with_capacity(1 << 16, file));
        }
        let head = HEAD as u64;
        Ok(Self {
            end: head,
            path,
            file,
            earlier,
            next_block: head,
            block: Vec::new().into_iter(),
            place: Place {
                block: head,
                index: 0,
            },
            pending: Vec::new(),
            flushed: Instant::now(),
        })
    }

    /// The next record of earlier runs, with its place.
    pub(super) fn next_record(&mut self) -> Result<Option<(Record, Place)>, JournalError> {
        loop {
            if let Some(record) = self.block.next() {
                let place = self.place;
                self.place.index += 1;
                return Ok(Some((record, place)));
            }
            let Some(earlier) = &mut self.earlier else {
                return Ok(None);
            };
            match read_block(earlier).map_err(|source| JournalError {
                action: "read",
                path: self.path.clone(),
                source,
            })? {
                Some((records, length)) => {
                    self.place = Place {
                        block: self.next_block,
                        index: 0,
                    };
                    self.next_block += length;
                    self.block = records.into_iter();
                }
                None => {
                    self.earlier = None;
                    self.end = self.next_block;
                }
            }
        }
    }

    /// Drops all records from a place on, and reads no more. `before` are those of the same block that stand before it.
    pub(super) fn cut(&mut self, place: Place, before: &[Record]) {
        self.earlier = None;
        self.block = Vec::new().into_iter();
        self.end = place.block;
        self.pending = before.to_vec();
    }

    /// Adds a record behind those that are valid. It is on the disk with its block.
    pub(super) fn push(&mut self, record: Record) -> Result<(), JournalError> {
        self.pending.push(record);
        match self.pending.len() >= RECORDS || self.flushed.elapsed() >= AGE {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Writes the records that are not in the file yet.
    ///
    /// # Errors
    /// [`JournalError`] if they can't be written, because the disk is full for example.
    pub fn flush(&mut self) -> Result<(), JournalError> {
        self.flushed = Instant::now();
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut block = vec![0; BLOCK_HEAD];
        for record in &self.pending {
            record.write(&mut block);
        }
        let length = u32::try_from(block.len() - BLOCK_HEAD).unwrap_or(u32::MAX);
        let count = u32::try_from(self.pending.len()).unwrap_or(u32::MAX);
        block[..4].copy_from_slice(&length.to_le_bytes());
        block[4..8].copy_from_slice(&count.to_le_bytes());
        let sum = checksum(&block[..8], &block[BLOCK_HEAD..]);
        block[8..BLOCK_HEAD].copy_from_slice(&sum);
        let mut write = || {
            // What is behind the end is of no use any more.
            self.file.set_len(self.end)?;
            self.file.seek(SeekFrom::Start(self.end))?;
            self.file.write_all(&block)
        };
        write().map_err(|source| JournalError {
            action: "write",
            path: self.path.clone(),
            source,
        })?;
        self.end += block.len() as u64;
        self.pending.clear();
        Ok(())
    }
}

/// Writes a journal without records, with its whole head or not at all. What a killed program leaves is hidden, and replaced
/// the next time.
fn begin(path: &Path, head: &[u8]) -> io::Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = File::create(&part)?;
    file.write_all(head)?;
    file.sync_all()?;
    drop(file); // Windows does not rename an open file.
    fs::rename(part, path)
}

/// The first bytes of a file, as many as a head has. `None` if there is no file or it is empty.
fn start(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut start = Vec::with_capacity(HEAD);
    file.take(HEAD as u64).read_to_end(&mut start)?;
    Ok((!start.is_empty()).then_some(start))
}

/// The first bytes of the journal of a check.
fn head(check: &PictureCheck) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let mut hash = Sha256::new_with_prefix(env!("CARGO_PKG_VERSION"));
    hash.update(check.max_pixels.to_le_bytes());
    hash.update([
        u8::from(check.identity == Identity::Pixels),
        u8::from(check.near),
    ]);
    head[..MAGIC.len()].copy_from_slice(MAGIC);
    head[MAGIC.len()..].copy_from_slice(&shortened::<32>(hash));
    head
}

fn checksum(head: &[u8], payload: &[u8]) -> [u8; 16] {
    let mut hash = Sha256::new_with_prefix(head);
    hash.update(payload);
    shortened(hash)
}

/// A block and its length in the file. `None` at the end, or where it is not whole.
fn read_block(file: &mut impl Read) -> io::Result<Option<(Vec<Record>, u64)>> {
    let mut head = [0; BLOCK_HEAD];
    if !fill(file, &mut head)? {
        return Ok(None);
    }
    let number = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_le_bytes);
    let (length, count) = (number(&head[..4]), number(&head[4..8]));
    if length > LONGEST_BLOCK {
        return Ok(None);
    }
    let mut payload = vec![0; length as usize];
    if !fill(file, &mut payload)? || checksum(&head[..8], &payload) != head[8..] {
        return Ok(None);
    }
    let mut reader = Reader(&payload);
    let records: Option<Vec<Record>> = (0..count).map(|_| Record::read(&mut reader)).collect();
    Ok(records.map(|records| (records, (BLOCK_HEAD + payload.len()) as u64)))
}

/// Reads as many bytes as there is room for. `false` if there are fewer.
fn fill(file: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
