use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::check::shortened;
use super::known::Known;
use super::record::{Reader, Record};
use super::{Identity, PictureCheck};

/// What checks have found, on disk, so that they are not done twice.
///
/// Records stand in blocks with a length, the options of their check and a checksum, behind a head that names the version of
/// this crate. Whatever kills the program, all blocks but the last are whole; one that is not whole ends the journal. A
/// record holds what a check found and not what was decided, so other rules can be tried without another check, and it holds a
/// stamp of the picture (name, size and time of its file, or a hash of its bytes).
///
/// A record is found by its stamp, wherever the picture stands in the data, so adding, dropping and sorting rows costs
/// nothing. It is used whenever a check with the options of today would find the same: what is not known yet is only a
/// perceptual hash that was not asked for, an [`Identity`] of the other kind, and whether a picture is within a limit of
/// pixels that has changed and that it may be beyond. Records of pictures that are gone stay.
///
/// In memory are 16 bytes for each record that earlier runs have written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    check: PictureCheck,
    pub(super) known: Arc<Known>,
    /// The end of what is valid.
    end: u64,
    pending: Vec<Record>,
    flushed: Instant,
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
const MAGIC: &[u8; 24] = b"journal of pictures 002\n";
/// How many of them say what kind of file it is.
const KIND: usize = 19;
const HEAD: usize = MAGIC.len() + 32;
/// What a block's checksum stands behind: length, number of records, and the options of their check.
const BLOCK_START: usize = 4 + 4 + 8 + 1;
const BLOCK_HEAD: usize = BLOCK_START + 16;
/// The longest block that is read. Those that are written have some tens of kilobytes.
const LONGEST_BLOCK: u32 = 16 << 20;
/// A block is written when it has this many records, or is this old.
const RECORDS: usize = 256;
const AGE: Duration = Duration::from_secs(1);

impl Journal {
    /// Opens the journal of a check, or begins one. A journal of another version is begun anew.
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
        let expected = head();
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
        let (known, end) = File::open(&path).and_then(read).map_err(fail("read"))?;
        Ok(Self {
            path,
            file,
            check: check.clone(),
            known: Arc::new(known),
            end,
            pending: Vec::new(),
            flushed: Instant::now(),
        })
    }

    /// Adds a record. It is on the disk with its block.
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
        block[8..16].copy_from_slice(&self.check.max_pixels.to_le_bytes());
        block[16] = flags(&self.check);
        let sum = checksum(&block[..BLOCK_START], &block[BLOCK_HEAD..]);
        block[BLOCK_START..BLOCK_HEAD].copy_from_slice(&sum);
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

/// What is known, and where what is valid ends.
fn read(file: File) -> io::Result<(Known, u64)> {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    reader.seek(SeekFrom::Start(HEAD as u64))?;
    let mut end = HEAD as u64;
    let mut known = Known::default();
    while let Some(block) = read_block(&mut reader)? {
        for (key, offset) in block.records {
            known.add(key, end + offset);
        }
        known.made_by(end, block.check);
        end += block.length;
    }
    Ok((known.complete(reader.into_inner()), end))
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

/// The first bytes of a journal of this version.
fn head() -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let hash = Sha256::new_with_prefix(env!("CARGO_PKG_VERSION"));
    head[..MAGIC.len()].copy_from_slice(MAGIC);
    head[MAGIC.len()..].copy_from_slice(&shortened::<32>(hash));
    head
}

fn flags(check: &PictureCheck) -> u8 {
    u8::from(check.identity == Identity::Pixels) | u8::from(check.near) << 1
}

fn checksum(head: &[u8], payload: &[u8]) -> [u8; 16] {
    let mut hash = Sha256::new_with_prefix(head);
    hash.update(payload);
    shortened(hash)
}

/// A block of a journal.
struct Block {
    /// Keys of records, and where they begin in the block.
    records: Vec<(u64, u64)>,
    check: PictureCheck,
    length: u64,
}

/// A block. `None` at the end, or where it is not whole.
fn read_block(file: &mut impl Read) -> io::Result<Option<Block>> {
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
    if !fill(file, &mut payload)? || checksum(&head[..BLOCK_START], &payload) != head[BLOCK_START..]
    {
        return Ok(None);
    }
    let mut reader = Reader(&payload);
    let mut records = Vec::new();
    for _ in 0..count {
        let offset = BLOCK_HEAD + payload.len() - reader.0.len();
        match Record::read(&mut reader) {
            Some(record) => records.push((record.key(), offset as u64)),
            None => return Ok(None),
        }
    }
    Ok(Some(Block {
        records,
        check: PictureCheck {
            max_pixels: head[8..16].try_into().map_or(0, u64::from_le_bytes),
            identity: match head[16] & 1 {
                0 => Identity::File,
                _ => Identity::Pixels,
            },
            near: head[16] & 2 != 0,
        },
        length: (BLOCK_HEAD + payload.len()) as u64,
    }))
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
