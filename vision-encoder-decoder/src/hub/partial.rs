use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::HubError;
use super::cache::create_parent;
use super::error::io_error;
use super::etag::{Checksum, Etag};

/// Bytes that are read and hashed at once.
pub(super) const BLOCK: usize = 1 << 17;

/// A file that is being transferred, with the hash of what is there.
pub(super) struct PartialFile {
    path: PathBuf,
    file: File,
    etag: Etag,
    checksum: Checksum,
    length: u64,
    size: u64,
}

impl PartialFile {
    /// Opens a file of `size` bytes in the making and takes up what an earlier run left.
    pub(super) fn open(path: PathBuf, etag: &Etag, size: u64) -> Result<Self, HubError> {
        create_parent(&path)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(io_error("write", &path))?;
        let mut partial = Self {
            path,
            file,
            etag: etag.clone(),
            checksum: etag.checksum(size),
            length: 0,
            size,
        };
        partial.take_up()?;
        Ok(partial)
    }

    /// Bytes that are there.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes that the file is to have.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), HubError> {
        let written = self.file.write_all(bytes);
        written.map_err(io_error("write", &self.path))?;
        self.checksum.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Throws away what is there.
    pub(super) fn restart(&mut self) -> Result<(), HubError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(io_error("write", &self.path))?;
        self.checksum = self.etag.checksum(self.size);
        self.length = 0;
        Ok(())
    }

    /// Checks the hash of a file that has all its bytes and moves it to where it is trusted, or
    /// deletes it. `name` is the file's in messages.
    pub(super) fn finish(self, name: &str, blob: &Path) -> Result<(), HubError> {
        let found = self.checksum.finish();
        if let Some(found) = found.filter(|found| !found.eq_ignore_ascii_case(self.etag.as_str())) {
            delete(&self.path, self.file)?;
            return Err(HubError::Hash {
                file: name.into(),
                expected: self.etag.as_str().into(),
                found,
            });
        }
        // Or the system may write the new name before the content.
        self.file
            .sync_all()
            .map_err(io_error("write", &self.path))?;
        // Windows does not rename what is open.
        drop(self.file);
        fs::rename(&self.path, blob).map_err(io_error("write", blob))
    }

    /// Deletes the file.
    pub(super) fn delete(self) -> Result<(), HubError> {
        delete(&self.path, self.file)
    }

    fn take_up(&mut self) -> Result<(), HubError> {
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
