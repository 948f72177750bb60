use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::HubError;
use crate::error::io_error;
use crate::etag::{Checksum, Etag};
use crate::own_file::open_own_file;

/// Bytes that are read and hashed at a time.
pub(crate) const BLOCK: usize = 1 << 17;

/// A file that is being transferred, with the hash of its transferred part.
pub(crate) struct PartialFile {
    path: PathBuf,
    file: File,
    etag: Etag,
    checksum: Checksum,
    length: u64,
    size: u64,
}

impl PartialFile {
    /// Opens a file that will have `size` bytes, and continues from the part that an earlier run left.
    ///
    /// A link or anything else in its place is replaced: it would lead the transfer into another file.
    pub(crate) fn open(path: PathBuf, etag: &Etag, size: u64) -> Result<Self, HubError> {
        let file = open_own_file(&path).map_err(io_error("write", &path))?;
        let mut partial = Self {
            path,
            file,
            etag: etag.clone(),
            checksum: etag.checksum(size),
            length: 0,
            size,
        };
        partial.resume()?;
        Ok(partial)
    }

    /// Bytes that have been transferred.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of the complete file.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), HubError> {
        let written = self.file.write_all(bytes);
        written.map_err(io_error("write", &self.path))?;
        self.checksum.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Discards what has been transferred.
    pub(crate) fn restart(&mut self) -> Result<(), HubError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(io_error("write", &self.path))?;
        self.checksum = self.etag.checksum(self.size);
        self.length = 0;
        Ok(())
    }

    /// Checks the hash of a file that has all its bytes. Moves it to `blob` if the hash is correct, and
    /// deletes it otherwise. `name` is the name of the file in messages.
    pub(crate) fn finish(self, name: &str, blob: &Path) -> Result<(), HubError> {
        let found = self.checksum.finish();
        if let Some(found) = found.filter(|found| !found.eq_ignore_ascii_case(self.etag.as_str())) {
            delete(&self.path, self.file)?;
            return Err(HubError::Hash {
                file: name.into(),
                expected: self.etag.as_str().into(),
                found,
            });
        }
        // Otherwise the system may write the new name to the disk before the content.
        self.file
            .sync_all()
            .map_err(io_error("write", &self.path))?;
        // Windows does not rename open files.
        drop(self.file);
        fs::rename(&self.path, blob).map_err(io_error("write", blob))
    }

    /// Deletes the file.
    pub(crate) fn delete(self) -> Result<(), HubError> {
        delete(&self.path, self.file)
    }

    /// Hashes the part that is in the file, and moves to its end.
    fn resume(&mut self) -> Result<(), HubError> {
        let mut block = vec![0; BLOCK];
        loop {
            let count = self
                .file
                .read(&mut block)
                .map_err(io_error("read", &self.path))?;
            if count == 0 {
                break;
            }
            self.checksum.update(&block[..count]);
            self.length += count as u64;
            if self.length > self.size {
                return self.restart();
            }
        }
        let end = SeekFrom::Start(self.length);
        self.file
            .seek(end)
            .map_err(io_error("read", &self.path))
            .map(drop)
    }
}

fn delete(path: &Path, file: File) -> Result<(), HubError> {
    drop(file);
    fs::remove_file(path).map_err(io_error("delete", path))
}
