//! Parts of a Parquet file for its reader.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use crate::Error;
use crate::positioned::{Stamp, read_at, read_exact_at, unreadable};

/// A file that is open only while it is read, since data sets have thousands, and whose readers do not share a cursor.
#[derive(Debug)]
pub(super) struct Chunks {
    pub(super) path: Arc<Path>,
    pub(super) stamp: Stamp,
}

impl Chunks {
    fn open(&self) -> std::result::Result<File, Error> {
        let (file, metadata) = whole_files::open(&*self.path)?;
        self.stamp.check(&self.path, &metadata)?;
        Ok(file)
    }
}

fn external(error: Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.stamp.bytes
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<Positioned>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let file = self.open().map_err(external)?;
        Ok(BufReader::new(Positioned {
            file,
            position: start,
        }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<bytes::Bytes> {
        // Checked before memory of that size is taken.
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.stamp.bytes) {
            let problem = format!("expected {length} bytes at {start}, found the end of the file");
            return Err(ParquetError::EOF(problem));
        }
        let file = self.open().map_err(external)?;
        let mut buffer = vec![0; length];
        read_exact_at(&file, &mut buffer, start)
            .map_err(|source| external(unreadable(&self.path, source)))?;
        Ok(buffer.into())
    }
}

pub(super) struct Positioned {
    file: File,
    position: u64,
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = read_at(&self.file, buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
